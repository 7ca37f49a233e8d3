"""What the measurements share: an app, Gatehouse in front of it with bench.yaml, load from wrk, and what the kernel knows about a process."""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BINARY = os.path.join(ROOT, "build/release/gatehouse")
sys.path.insert(0, os.path.join(HERE, "../e2e"))
from support.ports import free_port  # noqa: E402
from support.process import die_with_the_test  # noqa: E402

BODY = '{"id":1,"name":"item","price":9.99,"tags":["a","b","c"],"description":"the quick brown fox jumps over"}'
_APP = """worker_processes 1; daemon off; pid {folder}/app.pid; error_log {folder}/app.err; events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 3600; server {{ listen 127.0.0.1:{port} backlog=4096;
location / {{ {more} default_type application/json; return 200 '{body}'; }} }} }}"""


class Stage:
    """A folder and the programs started in it, which end with it. `with Stage() as stage: ...`"""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="gatehouse-bench-")
        self.folder = self._folder.name
        os.chmod(self.folder, 0o755)  # nginx serves from it as somebody else
        self._started = []
        return self

    def __exit__(self, *_):
        for process in reversed(self._started):
            end(process)
        self._folder.cleanup()

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def start(self, command, port, environment=None):
        """A program that listens on `port`, once it does."""
        with open(os.path.join(self.folder, "out"), "a") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})},
                                       preexec_fn=die_with_the_test)
        self._started.append(process)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if process.poll() is not None:
                with open(out.name) as told:
                    sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{told.read()[-3000:]}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return process
            except OSError:
                time.sleep(0.02)
        sys.exit(f"{' '.join(command)} does not listen on {port}")

    def app(self, cores=None, more=""):
        """nginx that answers a hundred bytes; its port."""
        port = free_port()
        config = self.write(f"app{port}.conf", _APP.format(folder=self.folder, port=port, body=BODY, more=more))
        self.start([*on(cores), "nginx", "-c", config], port)
        return port

    def environment(self, app, http, log="access.log"):
        """What bench.yaml wants to know."""
        key, certificate = os.path.join(self.folder, "key.pem"), os.path.join(self.folder, "cert.pem")
        if not os.path.exists(key):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                            "-subj", "/CN=localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        return {"BENCH_HTTP_PORT": str(http), "BENCH_HTTPS_PORT": str(free_port()), "BENCH_UPSTREAM": f"127.0.0.1:{app}",
                "BENCH_CERT": certificate, "BENCH_KEY": key, "BENCH_ACCESS_LOG": os.path.join(self.folder, log)}

    def config(self, workers=1):
        with open(os.path.join(HERE, "bench.yaml")) as file:
            text = file.read()
        assert "workers: 1\n" in text
        return self.write(f"bench{workers}.yaml", text.replace("workers: 1\n", f"workers: {workers}\n"))

    def gatehouse(self, binary, app, workers=1, cores=None):
        """(process, port) of Gatehouse with everything of bench.yaml on."""
        port = free_port()
        return self.start([*on(cores), binary, "run", "--config", self.config(workers)], port, self.environment(app, port, f"access{port}.log")), port


def on(cores):
    return [] if cores is None else ["taskset", "-c", str(cores)]


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_seconds(process):
    """Processor time by the scheduler's own account."""
    tasks = f"/proc/{process.pid}/task"
    return sum(int(open(f"{tasks}/{task}/schedstat").read().split()[0]) for task in os.listdir(tasks)) / 1e9


def resident_kib(process):
    with open(f"/proc/{process.pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


def wrk(port, seconds, connections=64, cores=None, headers=()):
    """How many requests it made."""
    fields = [part for header in headers for part in ("-H", header)]
    told = subprocess.run([*on(cores), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *fields, f"http://127.0.0.1:{port}/"],
                          capture_output=True, text=True).stdout
    if "Non-2xx" in told or "Socket errors" in told or "requests in" not in told:
        sys.exit(f"wrk: {told}")
    return int(re.search(r"(\d+) requests in", told).group(1))


def verdict(name, value, limit, unit):
    """One line about one goal; whether it is met."""
    met = value <= limit
    print(f"{name:58} {value:9.2f} {unit:6} goal {limit:g}: {'met' if met else 'NOT MET'}", flush=True)
    return met
