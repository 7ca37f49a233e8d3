"""Two thousand clients that send or read as slowly as they can, of an independent attacker, slowhttptest: whoever is not slow
notices nothing, and memory stays under what was promised."""
import resource

from support.case import EndToEnd
from support.gatehouse import SANITIZED
from support.http_client import Connection
from support.process import Process
from support.seeing_apps import SeeingApp
from support.waiting import wait_until

ATTACKERS = 2000
# What src/proxy/README.md promises for a connection, in KiB, at the default limits.
SLOW_HEAD, SLOW_BODY, SLOW_READER = 32, 64, 128


class KernelMemory(EndToEnd):
    def test_the_kernel_keeps_little_for_a_client_that_reads_nothing(self):
        gatehouse = self.gatehouse({"upstream": self.start(SeeingApp("nginx")).url})
        with gatehouse.connect() as connection:
            connection.request("GET", "/long")
            mine = "%04X" % connection.socket.getsockname()[1]
            sizes = []

            def settled():
                with open("/proc/net/tcp") as table:
                    for line in table:
                        _, here, there, _, queues = line.split()[:5]
                        if here.endswith(":%04X" % gatehouse.http[1]) and there.endswith(":" + mine):
                            sizes.append(int(queues.split(":")[0], 16))
                return len(sizes) > 100 and sizes[-1] > 0 and len(set(sizes[-100:])) == 1
            wait_until(settled, "nothing moves any more")
            self.assertLess(sizes[-1], 1 << 20)


class SlowPeers(EndToEnd):
    @classmethod
    def setUpClass(cls):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # inherited by all that the test starts

    def attack(self, app, path, promised, *options, config=None, source=None):
        gatehouse = self.gatehouse({"upstream": app.url, "workers": 2, **(config or {})})
        self.visit(gatehouse, gatehouse.connect(), source)
        gatehouse.reset_peak_memory()
        before = gatehouse.peak_memory_kib()
        attack = self.start(Process(["slowhttptest", "-c", ATTACKERS, "-r", 1000, "-i", 1, "-l", 12, "-p", 5, *options,
                                     "-u", "http://%s:%d" % gatehouse.http + path]))
        held, visits = 0, 0
        with Connection(gatehouse.http, source=source) as kept:
            while attack.popen.poll() is None:
                self.visit(gatehouse, kept, source)
                visits += 1
                held = max(held, gatehouse.metric("gatehouse_connections_open"))
        attack.wait()
        self.assertGreater(visits, 5)
        grown = gatehouse.peak_memory_kib() - before
        print(f"{path} {options}: {visits} visits, at most {held:.0f} connections, {grown} KiB more")
        if not SANITIZED:
            self.assertLess(grown, ATTACKERS * promised)
        wait_until(lambda: gatehouse.metric("gatehouse_connections_open") == 0, "all of them are gone")
        return gatehouse, held

    def visit(self, gatehouse, kept, source):
        """A client as any other: on a kept connection and on a new one, with and without a body. Everything succeeds."""
        self.assertEqual(kept.fetch("GET", "/status/200").status, 200)
        with Connection(gatehouse.http, source=source) as connection:
            self.assertEqual(connection.fetch("GET", "/status/200").status, 200)
            connection.send("POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
            connection.send("hello")  # as most clients do: apart from the head
            self.assertEqual(connection.response().status, 200)

    def test_slow_heads_keep_nobody_else_out(self):
        _, held = self.attack(self.start(SeeingApp("nginx")), "/", SLOW_HEAD, "-H", "-x", 10)
        self.assertGreater(held, ATTACKERS / 2)  # on a busy machine the attacker does not get to open more

    def test_slow_bodies_keep_nobody_else_out(self):
        _, held = self.attack(self.start(SeeingApp("nginx")), "/", SLOW_BODY, "-B", "-s", 8192, "-x", 10)
        self.assertGreater(held, ATTACKERS / 2)

    def test_slow_uploads_keep_nobody_else_out(self):
        """Too long to be waited for before the app is asked: each takes one of its connections."""
        self.attack(self.start(SeeingApp("nginx")), "/", SLOW_BODY, "-B", "-s", 8 << 20, "-x", 10)

    def test_slow_readers_keep_nobody_else_out(self):
        self.attack(self.start(SeeingApp("nginx")), "/", SLOW_READER, "-X", "-w", 1, "-y", 16, "-n", 1, "-z", 5, "-k", 3)

    def test_slow_readers_of_long_answers_keep_nobody_else_out_where_an_address_has_a_bound(self):
        gatehouse, _ = self.attack(self.start(SeeingApp("nginx")), "/long", SLOW_READER,
                                   "-X", "-w", 1, "-y", 16, "-n", 1, "-z", 5,
                                   config={"limits": {"connections_per_address": 300}}, source="127.0.0.2")
        self.assertGreater(gatehouse.metric("gatehouse_connections_over_limit_total"), 0)

    def test_requests_for_a_thousand_ranges_keep_nobody_else_out(self):
        self.attack(self.start(SeeingApp("nginx")), "/", SLOW_READER, "-R", "-a", 5, "-b", 1000)
