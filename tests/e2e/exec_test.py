"""`gatehouse exec`: the app as a child, whose output tells no secret and whose end is Gatehouse's end."""
import json
import os
import signal
import subprocess
import tempfile
import time

from support.apps import FOLDER, PYTHON
from support.case import EndToEnd
from support.gatehouse import BINARY, SANITIZED, Gatehouse, run_to_end
from support.http_client import fetch
from support.ports import free_port
from support.process import Process
from support.waiting import wait_until

PASSWORD = "correct-horse-7battery"
SECRETS = {
    "password": PASSWORD,
    "bearer": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLW9mLXRva2Vu",
    "cookie": "session-value-4711",
    "token": "token-in-the-query-99",
    "last": "token-of-the-last-line-5",
    "key": "key-in-a-header-99",
}


class Leaky(EndToEnd):
    """An app that prints what nobody may keep."""

    def served(self, **log):
        port = free_port()
        self.log_file = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "gatehouse.log")
        return self.start(Gatehouse(
            {"upstream": {"url": f"http://127.0.0.1:{port}", "wait_for_app": "20s"}, "log": {"level": "trace", "access": {"fields": "full"}, **log}},
            app=[PYTHON, "-m", "uvicorn", "leaky:api", "--app-dir", FOLDER, "--port", port, "--log-level", "debug"],
            env={"LEAKY_TOKEN": SECRETS["last"]}))

    def provoke(self, proxy):
        fields = [("Authorization", f"Bearer {SECRETS['bearer']}"), ("Cookie", f"session={SECRETS['cookie']}; theme=dark"),
                  ("X-Api-Key", SECRETS["key"])]
        for kind, body in (("application/json", json.dumps({"username": "ann", "password": PASSWORD})),
                           ("application/x-www-form-urlencoded", f"username=ann&password={PASSWORD}")):
            answer = proxy.fetch("POST", "/login", [("Content-Type", kind), *fields], body.encode())
            self.assertEqual(answer.status, 200)
        self.assertEqual(proxy.fetch("GET", f"/search?q=shoes&access_token={SECRETS['token']}&password={PASSWORD}", fields).status, 200)
        self.assertEqual(proxy.fetch("GET", f"/boom?password={PASSWORD}", fields).status, 500)
        return fetch(proxy.admin, "/metrics").body.decode() + fetch(proxy.admin, "/health").body.decode()

    def assert_told(self, text):
        for name, secret in SECRETS.items():
            self.assertNotIn(secret, text, name)
        # The secrets are gone, the lines are not.
        for kept in ("login of ann", "remember=yes", "access_token=", "Traceback (most recent call last)", "ConnectionError",
                     "RuntimeError", "GET /search?q=shoes", "last words without a line break", "theme="):
            self.assertIn(kept, text)

    def test_no_secret_that_the_app_prints_is_in_anything_that_is_written(self):
        proxy = self.served()
        pages = self.provoke(proxy)
        proxy.finish()
        text = "\n".join([*proxy.stdout, *proxy.stderr])
        self.assert_told(text + pages)
        for folder, _, files in os.walk(proxy.folder):
            for name in files:
                with open(os.path.join(folder, name), errors="replace") as file:
                    self.assertFalse([secret for secret in SECRETS.values() if secret in file.read()], name)

    def test_every_line_is_json_and_a_traceback_is_one_of_them(self):
        proxy = self.served()
        self.provoke(proxy)
        proxy.finish()
        lines = [json.loads(line) for line in proxy.stdout]
        self.assertEqual(proxy.stderr, [])
        traces = [line for line in lines if "Traceback" in str(line.get("message"))]
        self.assertTrue(traces)
        for trace in traces:
            self.assertIn("RuntimeError", trace["message"])
            self.assertEqual((trace["level"], trace["logger"]), ("error", "app"))
        self.assertTrue([line for line in lines if line.get("event") == "login"])  # JSON of the app stays as it is

    def test_the_same_as_text_for_people(self):
        proxy = self.served(format="text")
        self.provoke(proxy)
        proxy.finish()
        self.assert_told("\n".join([*proxy.stdout, *proxy.stderr]))

    def test_a_log_file_takes_what_the_app_prints(self):
        port = free_port()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        proxy = self.start(Gatehouse(
            {"upstream": {"url": f"http://127.0.0.1:{port}", "wait_for_app": "20s"}, "log": {"output": f"{folder}/gatehouse.log"}},
            app=[PYTHON, "-m", "uvicorn", "leaky:api", "--app-dir", FOLDER, "--port", port], env={"LEAKY_TOKEN": SECRETS["last"]}))
        self.provoke(proxy)
        proxy.finish()
        with open(f"{folder}/gatehouse.log") as file:
            self.assert_told(file.read())
        self.assertEqual(proxy.stdout, [])

    def test_requests_in_flight_end_before_the_app_is_told_to(self):
        proxy = self.served()
        with proxy.connect() as connection:
            connection.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until(lambda: any("slow began" in line for line in proxy.stdout), "the app works")
            proxy.send_signal(signal.SIGTERM)
            self.assertEqual(connection.response().json(), {"slow": True})
        self.assertEqual(proxy.wait(), 0)
        messages = [json.loads(line).get("message", "") for line in proxy.stdout]
        draining = next(i for i, message in enumerate(messages) if "draining" in message)
        told = next(i for i, message in enumerate(messages) if "Shutting down" in message)
        answered = next(i for i, line in enumerate(proxy.stdout) if json.loads(line).get("url.path") == "/slow")
        self.assertLess(draining, answered)
        self.assertLess(answered, told)


class Child(EndToEnd):
    """Programs that show one thing each; none of them serves."""

    def start_child(self, code, *arguments, log=None, shutdown=None, before=()):
        config = {"upstream": f"http://127.0.0.1:{free_port()}", "listeners": [{"address": f"127.0.0.1:{free_port()}"}],
                  "admin": {"address": f"127.0.0.1:{free_port()}"}, "log": log or {"format": "text"}, "shutdown": shutdown or {}}
        path = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "gatehouse.yaml")
        with open(path, "w") as file:
            json.dump(config, file)
        command = [PYTHON, "-u", "-c", code, *arguments] if code else arguments
        return self.start(Process([*before, BINARY, "exec", "--config", path, "--", *command]))

    def lines(self, process, text):
        return [line for line in process.stdout if text in line]

    def test_its_exit_status_is_ours(self):
        for code, status in (("raise SystemExit(7)", 7), ("pass", 0), ("import os; os.kill(os.getpid(), 9)", 137)):
            self.assertEqual(self.start_child(code).wait(), status, code)

    def test_what_cannot_be_started_is_told_as_a_shell_would(self):
        process = self.start_child(None, "/nonexistent/program")
        self.assertEqual(process.wait(), 127)
        self.assertIn("/nonexistent/program", "\n".join(process.stderr))
        self.assertEqual(self.start_child(None, "/etc/passwd").wait(), 126)

    def test_no_child_is_started_for_a_configuration_with_mistakes(self):
        path = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "gatehouse.yaml")
        with open(path, "w") as file:
            file.write("upstraem: http://127.0.0.1:8000\n")
        code, out, err = run_to_end("exec", "--config", path, "--", "echo", "started")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("upstraem", err)

    def test_signals_for_it_are_passed_on(self):
        process = self.start_child("import signal\nsignal.signal(signal.SIGUSR1, lambda *_: print('got USR1'))\n"
                                   "signal.signal(signal.SIGQUIT, lambda *_: exit(5))\nprint('ready')\nwhile True: signal.pause()")
        process.wait_for(lambda: self.lines(process, "ready"), "it runs")
        process.send_signal(signal.SIGUSR1)
        process.wait_for(lambda: self.lines(process, "got USR1"), "it got the signal")
        process.send_signal(signal.SIGQUIT)
        self.assertEqual(process.wait(), 5)

    def test_it_gets_the_signal_that_ends_us(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start_child(f"import signal\nsignal.signal({int(number)}, lambda *_: exit(3))\nprint('ready')\nwhile True: signal.pause()")
            process.wait_for(lambda: self.lines(process, "ready"), "it runs")
            process.send_signal(number)
            self.assertEqual(process.wait(), 3)

    def test_one_that_will_not_end_is_killed_and_all_it_started(self):
        process = self.start_child("import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nchild = os.fork()\n"
                                   "os.write(1, b'pid %d\\n' % os.getpid())\nwhile True: time.sleep(1)", shutdown={"app_deadline": "200ms"})
        process.wait_for(lambda: len(self.lines(process, "pid ")) == 2, "it runs")
        pids = [int(line.split("pid ")[1]) for line in self.lines(process, "pid ")]
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 137)
        wait_until(lambda: not any(_alive(pid) for pid in pids), "nothing of it is left")

    def test_a_second_signal_ends_it_at_once(self):
        process = self.start_child("import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: print('asked'))\nprint('ready')\nwhile True: signal.pause()",
                                   shutdown={"app_deadline": "1h"})
        process.wait_for(lambda: self.lines(process, "ready"), "it runs")
        process.send_signal(signal.SIGTERM)
        process.wait_for(lambda: self.lines(process, "asked"), "it was asked to end")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 137)

    def test_orphans_it_leaves_are_reaped(self):
        process = self.start_child("import os, time\nfor _ in range(5):\n  if os.fork() == 0:\n    if os.fork() == 0: time.sleep(0.2); os.write(1, b'orphan %d\\n' % os.getppid())\n    os._exit(0)\n"
                                   "while True:\n  try: os.wait()\n  except ChildProcessError: break\nprint('left')\ntime.sleep(1000)")
        process.wait_for(lambda: len(self.lines(process, "orphan")) == 5, "orphans have run")
        self.assertTrue(self.lines(process, f"orphan {process.pid}"), process.stdout)
        process.wait_for(lambda: not _zombies(process.pid), "none is left as a zombie")

    def test_it_inherits_no_descriptor_but_the_standard_ones(self):
        process = self.start_child("import os\nprint('open', sorted(int(n) for n in os.listdir('/proc/self/fd') if int(n) > 2))")
        process.wait()
        self.assertRegex("\n".join(process.stdout), r"open \[3\]")  # the one that listdir itself opens

    def test_a_line_without_an_end_takes_little_memory_and_tells_nothing(self):
        process = self.start_child("import os, sys\nos.write(1, b'password=')\nfor _ in range(1600): sys.stdout.write('hunter2x' * 8192)\n"
                                   "sys.stdout.write('\\n'); sys.stdout.flush()\nsys.stdout.write('end of it, token=hunter3x'); sys.stdout.flush()\nos.read(0, 1)\nimport time; time.sleep(1000)")
        process.wait_for(lambda: self.lines(process, "password=") and not process.popen.poll(), "it was told")
        wait_until(lambda: "hunter2x" not in "".join(process.stdout), "hidden")
        if not SANITIZED:
            self.assertLess(process.peak_memory_kib(), 200 * 1024)
        process.send_signal(signal.SIGTERM)
        process.wait()
        text = "\n".join(process.stdout)
        self.assertNotIn("hunter", text)
        self.assertIn("end of it, token=", text)

    def test_a_process_1_reaps_and_passes_the_status_on(self):
        process = self.start_child("print('hello'); raise SystemExit(9)",
                                   before=["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
        self.assertEqual(process.wait(), 9)
        self.assertTrue(self.lines(process, "hello"))


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def _zombies(parent):
    found = subprocess.run(["ps", "-o", "stat=", "--ppid", str(parent)], capture_output=True, text=True).stdout
    return [line for line in found.splitlines() if line.startswith("Z")]
