"""Rate limits under load: exact on one machine, shared through a real Redis, and on their feet when Redis is not."""
import json
import os
import signal
import socket
import threading
import time

from support.apps import Uvicorn
from support.case import EndToEnd
from support.http_client import fetch
from support.services import Redis
from support.waiting import wait_until


def flood(proxies, requests, connections=20):
    """So many requests to these in turn, pipelined over many connections at the same time; the statuses."""
    statuses, each = [], requests // connections

    def client(proxy):
        with proxy.connect() as connection:
            for _ in range(each):
                connection.request("GET", "/")
            statuses.extend(connection.response().status for _ in range(each))
    clients = [threading.Thread(target=client, args=(proxies[n % len(proxies)],)) for n in range(connections)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    assert len(statuses) == requests, len(statuses)
    return statuses


class Load:
    """Clients that send one request after the other until the end of the `with` block."""

    def __init__(self, proxies, clients=4):
        self.statuses, self.troubles, self._over = [], [], threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(proxies[n % len(proxies)],)) for n in range(clients)]

    def _run(self, proxy):
        try:
            with proxy.connect() as connection:
                while not self._over.is_set():
                    self.statuses.append(connection.fetch("GET", "/").status)
        except OSError as error:
            self.troubles.append(error)

    def goes_on(self, count=100):
        """Waits until so many more have been answered."""
        before = len(self.statuses)
        wait_until(lambda: len(self.statuses) >= before + count or self.troubles, f"{count} more requests are answered")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()


class OneMachine(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Uvicorn())

    def proxy(self, workers, **policy):
        return self.gatehouse({"upstream": self.app.url, "workers": workers,
                               "rate_limits": [{"name": "per-client", "quota": 100, "window": "1h", **policy}]})

    def test_a_thousand_requests_against_a_quota_of_a_hundred_get_exactly_a_hundred(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                proxy = self.proxy(workers)
                statuses = flood([proxy], 1000)
                self.assertEqual((statuses.count(200), statuses.count(429)), (100, 900))
                self.assertEqual(proxy.metric("gatehouse_rate_limited_total", policy="per-client"), 900)

    def test_what_comes_back_with_time_is_all_that_passes_beyond_the_burst(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                proxy = self.proxy(workers, window="1s")
                began = time.monotonic()
                statuses = flood([proxy], 1000)
                elapsed = time.monotonic() - began
                self.assertGreaterEqual(statuses.count(200), 100)
                self.assertLessEqual(statuses.count(200), 100 + 100 * elapsed)
                self.assertEqual(statuses.count(200) + statuses.count(429), 1000)


class Replicas(EndToEnd):
    """Two processes on one Redis."""

    def setUp(self):
        self.app = self.start(Uvicorn())
        self.redis = self.start(Redis())

    def replicas(self, quota, timeout="50ms", on_error="local"):
        store = {"type": "redis", "url": self.redis.url(), "timeout": timeout, "on_error": on_error}
        policy = {"name": "shared", "quota": quota, "window": "1h", "store": store}
        return [self.gatehouse({"upstream": self.app.url, "workers": workers, "rate_limits": [policy]}) for workers in (1, 2)]

    def decisions(self, proxies, outcome):
        return sum(proxy.metric("gatehouse_rate_limit_store_decisions_total", policy="shared", outcome=outcome) for proxy in proxies)

    def failed(self, proxies):
        return self.decisions(proxies, "timeout") + self.decisions(proxies, "failed")

    def test_together_they_grant_exactly_the_quota_while_redis_answers(self):
        proxies = self.replicas(100, timeout="10s")  # so that a busy machine is no outage
        statuses = flood(proxies, 1000)
        self.assertEqual(self.failed(proxies), 0)
        self.assertEqual((statuses.count(200), statuses.count(429)), (100, 900))
        # A key that is plainly over its quota costs no round trip.
        answered = self.decisions(proxies, "answered")
        self.assertGreaterEqual(answered, 100)
        self.assertEqual(flood(proxies, 200), [429] * 200)
        self.assertEqual(self.decisions(proxies, "answered"), answered)

    def test_together_they_never_grant_more_than_one_quota_each_while_redis_is_gone(self):
        proxies = self.replicas(100)
        statuses = flood(proxies, 60)
        self.redis.ends(signal.SIGKILL)
        statuses += flood(proxies, 1000)
        self.assertEqual(statuses.count(200) + statuses.count(429), 1060)
        self.assertGreaterEqual(statuses.count(200), 100)
        self.assertLessEqual(statuses.count(200), 200)

    def under_load(self, trouble, end_of_trouble, outcome):
        proxies = self.replicas(1_000_000)
        with Load(proxies) as load:
            load.goes_on()
            wait_until(lambda: self.decisions(proxies, "answered") > 100, "Redis decides")
            trouble()
            load.goes_on(300)  # while it lasts: whoever waited for Redis to return would be served by nobody
            for proxy in proxies:
                wait_until(lambda: self.decisions([proxy], outcome) > 0, f"{outcome} is counted")
            end_of_trouble()
            for proxy in proxies:
                before = self.decisions([proxy], "answered")
                wait_until(lambda: self.decisions([proxy], "answered") > before + 50, "Redis decides again")
            load.goes_on()
        self.assertEqual(load.troubles, [])
        self.assertEqual(set(load.statuses), {200})
        for proxy in proxies:
            told = [line for line in proxy.stdout + proxy.stderr if "rate limits: Redis at" in line]
            self.assertGreaterEqual(len([line for line in told if "is back" in line]), 1, told)
            self.assertNotIn(Redis.password, "\n".join(told))
            # What Gatehouse added: 50 ms for Redis, and what a busy machine takes.
            self.assertLess(max(record["gatehouse.duration.added"] for record in proxy.records(url_path="/")), 2.0)

    def test_a_redis_that_is_killed_and_started_again_costs_no_request(self):
        self.under_load(lambda: self.redis.ends(signal.SIGKILL), self.redis.begin, "failed")

    def test_a_redis_that_freezes_and_thaws_costs_no_request(self):
        self.under_load(lambda: self.redis.send_signal(signal.SIGSTOP), lambda: self.redis.send_signal(signal.SIGCONT), "timeout")

    def test_reloads_under_load_keep_the_connection_to_redis(self):
        proxies = self.replicas(1_000_000, timeout="10s")

        def connections():
            return sum(b"cmd=evalsha" in line for line in self.clients().splitlines())
        with Load(proxies) as load:
            load.goes_on()
            before = connections()
            for number in range(30):
                for proxy in proxies:
                    with open(proxy.config_file) as file:
                        written = json.load(file)
                    written["routes"] = [{"match": {"path": f"/route-{number}"}}]
                    with open(proxy.config_file + ".new", "w") as file:
                        json.dump(written, file)
                    os.rename(proxy.config_file + ".new", proxy.config_file)
                    self.assertEqual(fetch(proxy.admin, "/reload", "POST").status, 200)
            load.goes_on()
            self.assertEqual(connections(), before)
        self.assertEqual((load.troubles, set(load.statuses)), ([], {200}))
        self.assertEqual(self.failed(proxies), 0)

    def clients(self):
        """What Redis says of its connections."""
        with socket.create_connection(("127.0.0.1", self.redis.port), 5) as connection:
            connection.sendall(b"AUTH %s\r\nCLIENT LIST\r\nQUIT\r\n" % self.redis.password.encode())
            data = b""
            while part := connection.recv(65536):
                data += part
        return data

    def test_without_redis_all_are_refused_where_that_is_asked_for_and_at_once(self):
        proxies = self.replicas(1000, on_error="deny")
        self.assertEqual(proxies[0].fetch("GET", "/").status, 200)
        self.redis.send_signal(signal.SIGSTOP)
        response = wait_until(lambda: next((r for r in [proxies[0].fetch("GET", "/")] if r.status != 200), None), "it is refused")
        self.assert_problem(response, 503, "rate_limit_store_unavailable")
        self.assertEqual(response.header("Retry-After"), "1")
