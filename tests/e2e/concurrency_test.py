"""How many requests the app has under way at the same time, with one worker and with two."""
import asyncio
import json
import os
import threading

import websockets

from support.apps import Uvicorn
from support.case import EndToEnd
from support.http_client import fetch
from support.waiting import wait_until


class ConcurrencyLimits(EndToEnd):
    def setUp(self):
        self.app = self.start(Uvicorn())

    def proxy(self, **limit):
        options = {key: limit.pop(key) for key in ("workers", "upstream", "routes") if key in limit}
        return self.gatehouse({"upstream": self.app.url, "concurrency": limit, **options})

    def hold(self, proxy, name, headers=()):
        """A request that the app answers once it is told to release `name`."""
        connection = self.enterContext(proxy.connect())
        connection.request("GET", f"/held/{name}", headers)
        return connection

    def held(self, name, count=1):
        wait_until(lambda: self.app.fetch("GET", "/counts").json().get(f"held_{name}", 0) == count, f"the app holds {name}")

    def release(self, name):
        return self.app.fetch("GET", f"/release/{name}").json()

    def check(self, proxy):
        return fetch(proxy.admin, "/health").json()["checks"]["upstream"][0]

    def test_no_more_than_the_places_reach_the_app_and_the_others_are_served_in_the_end(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                name = f"crowd-{workers}"
                proxy = self.proxy(requests=3, queue=100, queue_timeout="60s", workers=workers)
                clients = [self.hold(proxy, name) for _ in range(40)]
                wait_until(lambda: proxy.metric("gatehouse_concurrency_waiting") == 37, "37 of 40 wait")
                self.held(name, 3)
                self.assertEqual(proxy.metric("gatehouse_concurrency_in_use", limit="all"), 3)
                self.release(name)
                self.assertEqual([client.response().status for client in clients], [200] * 40)
                self.assertLessEqual(self.release(name)["most"], 3)
                wait_until(lambda: proxy.metric("gatehouse_concurrency_in_use") == 0, "all places are free again")
                self.assertEqual(proxy.metric("gatehouse_concurrency_waiting"), 0)

    def test_with_two_workers_the_places_are_never_exceeded_and_never_lost_under_load(self):
        proxy = self.proxy(requests=2, queue=1000, queue_timeout="60s", workers=2)
        self.release("quick")
        statuses = []

        def client():
            with proxy.connect() as connection:
                statuses.extend(connection.fetch("GET", "/held/quick").status for _ in range(40))
        clients = [threading.Thread(target=client) for _ in range(16)]
        for each in clients:
            each.start()
        for each in clients:
            each.join()
        self.assertEqual(statuses, [200] * 640)
        self.assertLessEqual(self.release("quick")["most"], 2)
        self.assertGreater(proxy.metric("gatehouse_concurrency_waits_total"), 0)
        wait_until(lambda: proxy.metric("gatehouse_concurrency_in_use") == 0, "all places are free again")

    def test_without_a_seat_in_the_queue_the_answer_is_503_at_once(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                name = f"full-{workers}"
                proxy = self.proxy(requests=1, queue=0, queue_timeout="7s", workers=workers)
                holder = self.hold(proxy, name)
                self.held(name)
                response = proxy.fetch("GET", "/")
                self.assert_problem(response, 503, "queue_full")
                self.assertEqual(response.header("Retry-After"), "7")
                record = proxy.record(http_response_status_code=503)
                self.assertEqual((record["gatehouse.reason"], record["gatehouse.decided_by"], record["gatehouse.response_flags"]),
                                 ("queue_full", "sidecar", "OM"))
                self.assertEqual(proxy.metric("gatehouse_concurrency_refused_total", reason="queue_full"), 1)
                self.release(name)
                self.assertEqual(holder.response().status, 200)
                wait_until(lambda: proxy.fetch("GET", "/").status == 200, "the place is free a moment after the answer")

    def test_nobody_waits_longer_than_the_deadline(self):
        proxy = self.proxy(requests=1, queue=10, queue_timeout="300ms")
        holder = self.hold(proxy, "long")
        self.held("long")
        response = proxy.fetch("GET", "/")
        self.assert_problem(response, 503, "queue_timeout")
        self.assertEqual(response.header("Retry-After"), "1")
        self.assertGreaterEqual(proxy.record(http_response_status_code=503)["gatehouse.duration.total"], 0.3)
        self.release("long")
        self.assertEqual(holder.response().status, 200)

    def test_health_is_never_queued_behind_traffic(self):
        proxy = self.proxy(requests=1, queue=50, queue_timeout="60s", exempt_paths=["/document"],
                           upstream={"url": self.app.url, "health": {"path": "/counts", "interval": "100ms"}})
        holders = [self.hold(proxy, "busy") for _ in range(10)]
        self.held("busy")
        wait_until(lambda: proxy.metric("gatehouse_concurrency_waiting") == 9, "nine wait")
        self.assertEqual(proxy.fetch("GET", "/health").status, 200)
        self.assertEqual(proxy.fetch("GET", "/document").status, 200)
        for path in ("/health", "/livez", "/readyz", "/startupz"):
            self.assertEqual(fetch(proxy.admin, path).status, 200)
        check = self.check(proxy)
        wait_until(lambda: self.check(proxy)["time"] != check["time"], "the active check goes on")
        self.assertEqual(self.check(proxy)["status"], "pass")
        self.assertEqual(proxy.metric("gatehouse_concurrency_waiting"), 9)
        self.release("busy")
        self.assertEqual([holder.response().status for holder in holders], [200] * 10)

    def test_a_client_that_leaves_while_it_waits_leaves_the_queue_and_never_reaches_the_app(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                first, second = f"first-{workers}", f"second-{workers}"
                proxy = self.proxy(requests=1, queue=1, queue_timeout="60s", workers=workers)
                holder = self.hold(proxy, first)
                self.held(first)
                leaver = self.hold(proxy, second)
                wait_until(lambda: proxy.metric("gatehouse_concurrency_waiting") == 1, "one waits")
                leaver.close()
                wait_until(lambda: proxy.metric("gatehouse_concurrency_waiting") == 0, "its seat is free")
                record = proxy.record(url_path=f"/held/{second}")
                self.assertEqual((record["gatehouse.reason"], record["gatehouse.response_flags"]), ("client_disconnected", "DC"))
                self.assertEqual(proxy.metric("gatehouse_concurrency_refused_total", reason="abandoned_in_queue"), 1)
                self.release(first)
                self.assertEqual(holder.response().status, 200)
                wait_until(lambda: proxy.fetch("GET", "/").status == 200, "the place is free a moment after the answer")
                self.assertNotIn(f"held_{second}", self.app.fetch("GET", "/counts").json())

    def test_an_upload_whose_client_leaves_while_it_waits_leaves_the_queue(self):
        proxy = self.proxy(requests=1, queue=1, queue_timeout="60s")
        holder = self.hold(proxy, "upload")
        self.held("upload")
        leaver = self.enterContext(proxy.connect())
        leaver.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n", b"x" * 100000)
        wait_until(lambda: proxy.metric("gatehouse_concurrency_waiting") == 1, "one waits")
        leaver.close()
        wait_until(lambda: proxy.metric("gatehouse_concurrency_waiting") == 0, "its seat is free")
        self.release("upload")
        self.assertEqual(holder.response().status, 200)

    def test_one_client_gets_no_more_than_its_part(self):
        proxy = self.proxy(per_client=2, key="header:X-Api-Key", workers=2)
        mine = [self.hold(proxy, "mine", [("X-Api-Key", "a")]) for _ in range(2)]
        self.held("mine", 2)
        refused = proxy.fetch("GET", "/", [("X-Api-Key", "a")])
        self.assert_problem(refused, 429, "too_many_concurrent")
        self.assertEqual(refused.header("Retry-After"), "1")
        self.assertEqual(proxy.fetch("GET", "/", [("X-Api-Key", "b")]).status, 200)
        self.release("mine")
        self.assertEqual([connection.response().status for connection in mine], [200] * 2)
        wait_until(lambda: proxy.fetch("GET", "/", [("X-Api-Key", "a")]).status == 200, "its requests are over")

    def test_a_route_may_have_fewer_places_and_takes_none_of_the_others_while_it_waits(self):
        proxy = self.proxy(requests=2, queue=0, workers=1, routes=[
            {"match": {"path": "/held/*"}, "concurrency": {"requests": 1, "queue": 5, "queue_timeout": "60s"}}])
        holders = [self.hold(proxy, "route") for _ in range(3)]
        self.held("route")
        wait_until(lambda: proxy.metric("gatehouse_concurrency_waiting", limit="/held/*") == 2, "two wait for the route")
        self.assertEqual(proxy.fetch("GET", "/").status, 200)
        self.release("route")
        self.assertEqual([holder.response().status for holder in holders], [200] * 3)


class Reloads(EndToEnd):
    def test_who_has_a_place_and_who_waits_counts_under_the_next_configuration_too(self):
        app = self.start(Uvicorn())
        config = {"upstream": app.url, "workers": 2, "concurrency": {"requests": 1, "queue": 2, "queue_timeout": "60s"}}
        proxy = self.gatehouse(config)

        def hold(name):
            connection = self.enterContext(proxy.connect())
            connection.request("GET", f"/held/{name}")
            return connection
        holder = hold("before")
        wait_until(lambda: app.fetch("GET", "/counts").json().get("held_before") == 1, "the app holds it")
        waiting = hold("waiting")
        wait_until(lambda: proxy.metric("gatehouse_concurrency_waiting") == 1, "one waits")
        for timeout in ("61s", "62s"):  # the limit is the same one
            with open(proxy.config_file) as file:
                written = json.load(file)
            written["concurrency"]["queue_timeout"] = timeout
            with open(proxy.config_file + ".new", "w") as file:
                json.dump(written, file)
            os.rename(proxy.config_file + ".new", proxy.config_file)
            self.assertEqual(fetch(proxy.admin, "/reload", "POST").status, 200)
            self.assertEqual(proxy.metric("gatehouse_concurrency_in_use"), 1)
        after = hold("after")
        wait_until(lambda: proxy.metric("gatehouse_concurrency_waiting") == 2, "the new one waits beside the old one")
        self.assertEqual(proxy.fetch("GET", "/").status, 503, "the queue is longer than it may be")
        for name in ("waiting", "after", "before"):
            most = app.fetch("GET", f"/release/{name}").json()["most"]
        self.assertEqual([connection.response().status for connection in (holder, waiting, after)], [200] * 3)
        self.assertEqual(most, 1)
        wait_until(lambda: proxy.metric("gatehouse_concurrency_in_use") == 0, "all places are free again")


class Streams(EndToEnd):
    def setUp(self):
        self.app = self.start(Uvicorn())

    def events(self, proxy):
        connection = self.enterContext(proxy.connect())
        connection.request("GET", "/events")
        self.assertEqual(connection.head().status, 200)
        connection.chunk()
        return connection

    def beside_a_websocket(self, proxy):
        """The status that another request gets while a WebSocket is open."""
        async def session():
            async with websockets.connect("ws://%s:%d/ws" % proxy.http) as socket:
                await socket.send("hello")
                self.assertEqual(await socket.recv(), "hello")
                return proxy.fetch("GET", "/").status
        return asyncio.run(session())

    def test_a_websocket_counts_until_it_is_closed(self):
        proxy = self.gatehouse({"upstream": self.app.url, "concurrency": {"requests": 1, "queue": 0}})
        self.assertEqual(self.beside_a_websocket(proxy), 503)
        wait_until(lambda: proxy.fetch("GET", "/").status == 200, "its place is free")

    def test_a_stream_of_events_counts_until_its_client_leaves(self):
        proxy = self.gatehouse({"upstream": self.app.url, "concurrency": {"requests": 1, "queue": 0}})
        stream = self.events(proxy)
        self.assertEqual(proxy.fetch("GET", "/").status, 503)
        stream.close()
        wait_until(lambda: proxy.fetch("GET", "/").status == 200, "its place is free")

    def test_free_streams_count_only_until_they_have_begun(self):
        proxy = self.gatehouse({"upstream": self.app.url, "concurrency": {"requests": 1, "queue": 0, "streams": "free"}})
        self.events(proxy)
        self.assertEqual(self.beside_a_websocket(proxy), 200)
        self.assertEqual(proxy.metric("gatehouse_concurrency_in_use"), 0)
