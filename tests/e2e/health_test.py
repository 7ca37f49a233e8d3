"""The app's dependencies, asked in their own protocols: ended, frozen and started again while /health, /readyz and /metrics are
watched."""
import os
import shutil
import signal
import socket
import tempfile
import threading
import time

from support.apps import Uvicorn
from support.case import EndToEnd
from support.http_client import fetch
from support.ports import free_port
from support.services import Postgres, Redis
from support.waiting import wait_until

QUICK = {"interval": "200ms", "timeout": "300ms"}


class Watched(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Uvicorn())

    def watch(self, *checks, ready="/readyz", env=None):
        return self.gatehouse({"upstream": self.app.url, "health": {"checks": [{**QUICK, **check} for check in checks]}}, ready=ready, env=env)

    def check_of(self, proxy, name):
        return fetch(proxy.admin, "/health").json()["checks"][name][0]

    def wait_for_status(self, proxy, name, status):
        def reached():
            check = self.check_of(proxy, name)
            return check if check["status"] == status else None
        return wait_until(reached, f"{name} is {status}")

    def assert_serves(self, proxy):
        """Dependencies concern readiness alone."""
        self.assertEqual(fetch(proxy.admin, "/livez").status, 200)
        self.assertEqual(proxy.fetch("GET", "/").status, 200)

    def assert_never_said(self, proxy, secret):
        told = [fetch(proxy.admin, path).body.decode() for path in ("/health", "/metrics", "/readyz")]
        told += proxy.stdout + proxy.stderr
        for text in told:
            self.assertNotIn(secret, text)

    def lines_about(self, proxy, words):
        return [line for line in proxy.stdout + proxy.stderr if words in line]


class ServiceLife:
    """What holds for every service: once for each of them below."""

    def fail_and_recover(self, fail, recover, error):
        proxy = self.watch({"name": "store", "type": self.kind, "url": self.service.url(), "fall": 1})
        self.assertEqual(self.check_of(proxy, "store")["componentType"], self.kind)
        self.assertEqual(proxy.metric("gatehouse_health_check_up", kind=self.kind), 1)
        fail()
        began = time.monotonic()
        check = self.wait_for_status(proxy, "store", "fail")
        print(f"{self.kind}: noticed after {time.monotonic() - began:.3f} s")
        self.assertIn(error, check["output"])
        self.assertEqual(fetch(proxy.admin, "/health").status, 503)
        self.assertEqual(fetch(proxy.admin, "/readyz").status, 503)
        self.assertEqual(proxy.metric("gatehouse_health_check_up", kind=self.kind), 0)
        for _ in range(20):
            self.assert_serves(proxy)
        recover()
        began = time.monotonic()
        self.wait_for_status(proxy, "store", "pass")
        print(f"{self.kind}: recovery noticed after {time.monotonic() - began:.3f} s")
        self.assertEqual(fetch(proxy.admin, "/readyz").status, 200)
        self.assertEqual(proxy.metric("gatehouse_health_check_up", kind=self.kind), 1)
        self.assert_never_said(proxy, self.service.password)
        # One line for each change, however many answers there were.
        wait_until(lambda: len(self.lines_about(proxy, f"store ({self.kind}) is healthy")) == 2, "two lines")
        self.assertEqual(len(self.lines_about(proxy, f"store ({self.kind}) is not healthy")), 1)

    def test_a_stopped_service_is_noticed_and_so_is_its_return(self):
        self.fail_and_recover(lambda: self.service.ends(signal.SIGINT), self.service.begin, "does not accept connections")

    def test_a_frozen_service_is_noticed_and_so_is_its_return(self):
        self.fail_and_recover(lambda: self.service.send_signal(signal.SIGSTOP), lambda: self.service.send_signal(signal.SIGCONT),
                              "did not answer in time")

    def test_a_wrong_password_is_told_without_the_password(self):
        proxy = self.watch({"name": "store", "type": self.kind, "url": self.service.url("not-the-s3cret"), "critical": False})
        check = self.wait_for_status(proxy, "store", "warn")
        wait_until(lambda: "refuses the credentials" in self.check_of(proxy, "store").get("output", ""), "the reason")
        self.assertFalse(check["critical"])
        self.assertEqual(fetch(proxy.admin, "/readyz").status, 200)  # not critical
        self.assert_never_said(proxy, "not-the-s3cret")


class PostgresChecks(ServiceLife, Watched):
    kind = "postgres"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.start_shared(Postgres())

    def test_a_missing_database_is_told(self):
        proxy = self.watch({"name": "store", "type": "postgres", "url": self.service.url(database="nowhere"), "critical": False})
        wait_until(lambda: "3D000" in self.check_of(proxy, "store").get("output", ""), "SQLSTATE 3D000")

    def test_it_says_so_where_libpq_is_missing(self):
        empty = tempfile.mkdtemp(prefix="gatehouse-libraries-")
        self.addCleanup(shutil.rmtree, empty)
        with open(os.path.join(empty, "libpq.so.5"), "w"):
            pass  # found first, and no library
        proxy = self.watch({"name": "store", "type": "postgres", "url": self.service.url(), "critical": False}, env={"LD_LIBRARY_PATH": empty})
        wait_until(lambda: "no libpq.so.5" in self.check_of(proxy, "store").get("output", ""), "the reason")
        self.assert_serves(proxy)

    def test_a_unix_socket_will_do(self):
        url = f"postgresql://app:{self.service.password}@/postgres?host={self.service.folder}&port=ignored"
        os.chmod(self.service.folder, 0o755)
        url = url.replace("@/", f"@:{self.service.port}/")
        self.watch({"name": "store", "type": "postgres", "url": url})  # ready is proof


class RedisChecks(ServiceLife, Watched):
    kind = "redis"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.start_shared(Redis())

    def test_a_password_that_is_missing_is_told(self):
        proxy = self.watch({"name": "store", "type": "redis", "url": f"redis://127.0.0.1:{self.service.port}", "critical": False})
        wait_until(lambda: self.check_of(proxy, "store").get("output") == "asks for a password", "the reason")

    def test_a_unix_socket_will_do(self):
        os.chmod(self.service.folder, 0o755)
        url = f"unix://{self.service.folder}/redis.sock?password={self.service.password}"
        self.watch({"name": "store", "type": "redis", "url": url})  # ready is proof


class CountingServer:
    """Accepts connections, counts them, and says what it was told to."""

    def __init__(self, greeting=b""):
        self.greeting, self.accepted = greeting, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def _serve(self):
        held = []
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            held.append(connection)
            try:
                connection.sendall(self.greeting)
            except OSError:
                pass

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class OtherChecks(Watched):
    def test_asking_for_health_asks_no_dependency(self):
        with CountingServer() as server:
            proxy = self.watch({"name": "queue", "type": "tcp", "url": f"tcp://127.0.0.1:{server.port}", "interval": "1h"})
            for _ in range(200):
                self.assertEqual(fetch(proxy.admin, "/health").status, 200)
                self.assertEqual(proxy.fetch("GET", "/health").status, 200)
            self.assertEqual(server.accepted, 1)

    def test_services_that_talk_nonsense_are_not_healthy_and_do_no_harm(self):
        for nonsense in (b"\x00" * 100000, b"\xff" * 100000, b"+" * 100000, b"hunter2\r\n" * 9000, b"\x0a\x00\x00\x00\x0a"):
            with CountingServer(nonsense) as server:
                checks = [{"name": kind, "type": kind, "url": f"{kind}://127.0.0.1:{server.port}", "critical": False}
                          for kind in ("postgres", "redis", "mysql", "http")]
                proxy = self.watch(*checks)
                for check in checks:
                    wait_until(lambda: self.check_of(proxy, check["name"])["output"] != "not checked yet", "an answer")
                    self.assertEqual(self.check_of(proxy, check["name"])["status"], "warn")
                self.assert_never_said(proxy, "hunter2")
                self.assert_serves(proxy)

    def test_an_http_service_is_judged_by_its_status(self):
        app = self.app.url
        proxy = self.watch({"name": "good", "type": "http", "url": app + "/"},
                           {"name": "bad", "type": "http", "url": app + "/status/500", "critical": False},
                           {"name": "wanted", "type": "http", "url": app + "/status/404", "expect_status": "404"})
        self.wait_for_status(proxy, "good", "pass")
        self.wait_for_status(proxy, "wanted", "pass")
        wait_until(lambda: self.check_of(proxy, "bad").get("output") == "answered 500", "the status")

    def test_a_port_nobody_listens_on_is_told(self):
        proxy = self.watch({"name": "queue", "type": "tcp", "url": f"tcp://127.0.0.1:{free_port()}"}, ready="/livez")
        check = self.wait_for_status(proxy, "queue", "fail")
        wait_until(lambda: self.check_of(proxy, "queue")["output"] == "does not accept connections", "the reason")
        self.assertTrue(check["critical"])

    def test_a_name_that_does_not_resolve_is_told(self):
        proxy = self.watch({"name": "queue", "type": "tcp", "url": "tcp://nowhere.invalid:1", "critical": False})
        wait_until(lambda: self.check_of(proxy, "queue")["output"] == "its name does not resolve", "the reason")

    def test_the_age_of_a_file_counts(self):
        with tempfile.NamedTemporaryFile() as file:
            proxy = self.watch({"name": "backup", "type": "file_age", "path": file.name, "maximum_age": "1h", "fall": 1},
                               {"name": "gone", "type": "file_age", "path": file.name + "-none", "maximum_age": "1h", "critical": False})
            os.utime(file.name, (1, time.time() - 7200))
            self.assertRegex(self.wait_for_status(proxy, "backup", "fail")["output"], "^was written 72[0-9][0-9] s ago$")
            os.utime(file.name)
            self.wait_for_status(proxy, "backup", "pass")
            wait_until(lambda: self.check_of(proxy, "gone")["output"] == "does not exist", "the reason")

    def test_the_free_space_of_a_disk_counts(self):
        proxy = self.watch({"name": "enough", "type": "disk", "path": "/", "minimum_free": "1KiB"},
                           {"name": "little", "type": "disk", "path": "/", "minimum_free": "1000000GiB", "critical": False})
        self.wait_for_status(proxy, "enough", "pass")
        wait_until(lambda: "MiB free" in self.check_of(proxy, "little")["output"], "the reason")

    def test_a_command_is_judged_by_its_exit_status(self):
        proxy = self.watch({"name": "good", "type": "command", "command": ["true"]},
                           {"name": "bad", "type": "command", "command": ["sh", "-c", "echo hunter2; exit 3"], "critical": False},
                           {"name": "none", "type": "command", "command": ["/nowhere/at-all"], "critical": False},
                           {"name": "killed", "type": "command", "command": ["sh", "-c", "kill -9 $$"], "critical": False})
        self.wait_for_status(proxy, "good", "pass")
        for name, reason in (("bad", "ended with exit status 3"), ("none", "cannot be started"), ("killed", "was ended by signal 9")):
            wait_until(lambda: self.check_of(proxy, name)["output"] == reason, f"{name}: {reason}")
        self.assert_never_said(proxy, "hunter2")

    def test_a_command_that_does_not_end_is_killed_with_what_it_started(self):
        with tempfile.TemporaryDirectory() as folder:
            note = os.path.join(folder, "pids")
            script = f"sleep 600 & echo $! >> {note}; sleep 600"
            proxy = self.watch({"name": "slow", "type": "command", "command": ["sh", "-c", script], "critical": False})
            wait_until(lambda: self.check_of(proxy, "slow")["output"] == "did not end in time", "the reason")
            with open(note) as file:
                first = int(file.readline())
            wait_until(lambda: not _lives(first), "the command's child is gone")
            self.assert_serves(proxy)

    def test_a_command_gets_no_descriptor_of_ours(self):
        with tempfile.TemporaryDirectory() as folder:
            note = os.path.join(folder, "open")
            # 3 is the listing's own.
            self.watch({"name": "look", "type": "command", "command": ["sh", "-c", f"ls /proc/self/fd > {note}.new && mv {note}.new {note}"]})
            with open(note) as file:
                self.assertEqual(file.read().split(), ["0", "1", "2", "3"])


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
