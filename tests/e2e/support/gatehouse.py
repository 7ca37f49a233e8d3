"""The binary under test, started with a configuration and judged when it ends."""
import json
import os
import shutil
import signal
import tempfile

from .http_client import Connection, fetch
from .ports import free_port
from .process import Process
from .waiting import wait_until

BINARY = os.environ.get("GATEHOUSE_BINARY", "build/release/gatehouse")
# Under a sanitizer memory figures mean nothing and everything takes its time.
SANITIZED = os.environ.get("GATEHOUSE_BUILD") in ("asan", "tsan")
_SANITIZER_WORDS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:",
                    "terminate called", "Assertion `")


class Gatehouse(Process):
    """Starts `gatehouse run` (or `gatehouse exec` with the command `app`) and waits until it is ready; at the end of the `with` block it must stop with exit code 0
    and without a word from a sanitizer.

    `config` is a dict in the shape of the YAML file. Without `listeners` it gets one plain listener, and without `admin`
    an admin port; `http`, `https` and `admin` are the addresses of the first listener of each kind."""

    def __init__(self, config, ready="/readyz", env=None, before_exec=None, tls=False, app=None):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-test-")
        config = dict(config)
        if "listeners" not in config:
            config["listeners"] = [{"address": f"127.0.0.1:{free_port()}"}]
            if tls:
                config["listeners"].append({"address": f"127.0.0.1:{free_port()}", "tls": {"self_signed": True}})
        config.setdefault("admin", {"address": f"127.0.0.1:{free_port()}"})
        self.http = next((_address(l) for l in config["listeners"] if "tls" not in l), None)
        self.https = next((_address(l) for l in config["listeners"] if "tls" in l), None)
        self.admin = _address(config["admin"])
        self.config_file = os.path.join(self.folder, "gatehouse.yaml")
        with open(self.config_file, "w") as file:
            json.dump(config, file, indent=1)  # JSON is YAML
        self._records = []
        self._ended = False
        verb = ["exec", "--config", self.config_file, "--", *app] if app else ["run", "--config", self.config_file]
        super().__init__([BINARY, *verb], env=env, before_exec=before_exec,
                         on_line=self._keep_record)
        try:
            self.wait_for(lambda: self._answers(ready), f"{ready} answers 200 on {self.admin}")
        except BaseException:
            self.send_signal(signal.SIGKILL)
            self.popen.wait()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _answers(self, path):
        try:
            return fetch(self.admin, path).status == 200
        except OSError:
            return False

    # Talking to it

    def connect(self, **options):
        return Connection(self.http, **options)

    def fetch(self, method, target, headers=(), body=None):
        return fetch(self.http, target, method, headers, body)

    def metrics(self):
        """The samples of /metrics as {"name{labels}": value}."""
        text = fetch(self.admin, "/metrics").body.decode()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
                for line in text.splitlines() if line and not line.startswith("#")}

    def metric(self, name, **labels):
        """The sum of all samples of that name that carry those labels."""
        total = 0.0
        for key, value in self.metrics().items():
            family, _, rest = key.partition("{")
            if family == name and all(f'{label}="{wanted}"' in rest for label, wanted in labels.items()):
                total += value
        return total

    # Access records

    def _keep_record(self, line):
        try:
            record = json.loads(line)
        except ValueError:
            return
        if isinstance(record, dict) and record.get("logger") == "access" and "http.response.status_code" in record:
            self._records.append(record)

    def records(self, **wanted):
        """The access records so far whose fields have those values; `_` stands for `.` in a name: url_path="/x"."""
        return [record for record in list(self._records)
                if all(_field(record, name) == value for name, value in wanted.items())]

    def record(self, **wanted):
        """The one access record with those values; waits for it."""
        found = wait_until(lambda: self.records(**wanted), f"an access record with {wanted}; there are {self._records[-5:]}")
        assert len(found) == 1, found
        return found[0]

    # The end

    def finish(self, number=signal.SIGTERM):
        """Ends it and judges: exit code 0, no sanitizer report."""
        self._ended = True
        self.send_signal(number)
        code = self.wait(60)
        self.check_for_reports()
        assert code == 0, f"exit code {code}\n{self.output()}"

    def check_for_reports(self):
        for line in self.stderr:
            assert not any(word in line for word in _SANITIZER_WORDS), "\n".join(self.stderr[-200:])

    def __exit__(self, kind, error, trace):
        try:
            if not self._ended and kind is None:
                self.finish()
            elif not self._ended:
                self.stop()
                print(self.output())  # beside the failure of the test
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def _address(section):
    text = section["address"]
    if text.startswith("unix:"):
        return text[len("unix:"):]
    host, _, port = text.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host)
    return (host.strip("[]"), int(port))


def _field(record, name):
    return record.get(name, record.get(name.replace("_", ".", 1), record.get(_dotted(record, name))))


def _dotted(record, name):
    """The key of `record` that is `name` once its dots are underscores."""
    return next((key for key in record if key.replace(".", "_") == name), None)


def run_to_end(*arguments, stdin=None, patience=30):
    """Runs a verb of the command line: (exit code, stdout, stderr)."""
    import subprocess
    done = subprocess.run([BINARY, *arguments], input=stdin, capture_output=True, text=True, timeout=patience)
    return done.returncode, done.stdout, done.stderr
