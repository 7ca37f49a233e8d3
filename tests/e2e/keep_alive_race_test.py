"""Apps close idle connections when they like, just when the next request is on its way. No client may notice, and no POST
may be executed twice."""
import itertools
import random
import threading

from support.apps import Node, ScriptedUpstream, Uvicorn
from support.case import EndToEnd


class Race(EndToEnd):
    """The app closes after one second; Gatehouse would keep its connections for longer, and requests come just then."""

    CLIENTS, ROUNDS = 24, 8

    def volley(self, app, keeps):
        proxy = self.gatehouse({"upstream": {"url": app.url, "idle_timeout": keeps}, "workers": 2})
        outcomes, pause = {"GET": [], "POST": []}, threading.Event()
        keys = itertools.count()
        sent = []

        def client(seed):
            chance = random.Random(seed)
            with proxy.connect() as connection:
                for _ in range(self.ROUNDS):
                    pause.wait(chance.uniform(0.97, 1.03))  # the pace of the traffic, not a wait for anything
                    outcomes["GET"].append(connection.fetch("GET", "/counts").status)
                    pause.wait(chance.uniform(0.97, 1.03))
                    key = f"post-{next(keys)}"
                    status = connection.fetch("POST", f"/count/{key}", body=b"x").status
                    sent.append((key, status))
        clients = [threading.Thread(target=client, args=(seed,)) for seed in range(self.CLIENTS)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        self.assertEqual(outcomes["GET"], [200] * (self.CLIENTS * self.ROUNDS))
        counts = app.fetch("GET", "/counts").json()
        self.assertEqual(len(sent), self.CLIENTS * self.ROUNDS)
        self.assertEqual([key for key, _ in sent if counts.get(key, 0) > 1], [], "executed twice")
        for key, status in sent:  # an answer of 200 means once; a 502 may mean never
            self.assertIn((status, counts.get(key, 0)), [(200, 1), (502, 0), (502, 1)])
        print("POSTs that failed:", sum(status != 200 for _, status in sent), "of", len(sent))

    def test_uvicorn_on_h11_may_close_first(self):
        self.volley(self.start(Uvicorn("h11", keep_alive=1)), "4s")

    def test_uvicorn_on_httptools_may_close_first(self):
        self.volley(self.start(Uvicorn("httptools", keep_alive=1)), "4s")

    def test_node_may_close_first(self):
        self.volley(self.start(Node(keep_alive_ms=1000)), "4s")


class Replay(EndToEnd):
    """The same, made certain: the app reads the request and closes without a byte."""

    def serve(self, **options):
        def play(connection):
            while True:
                request = connection.read_request()
                if request.target.startswith("/die") and not self.died:
                    self.died = True
                    return
                connection.reply(request.body or b"fine")
        self.died = False
        self.upstream = self.start(ScriptedUpstream(play))
        proxy = self.gatehouse({"upstream": dict(options, url=self.upstream.url), "workers": 1})
        self.assertEqual(proxy.fetch("GET", "/first").body, b"fine")  # now there is a connection to be used again
        return proxy

    def requests(self):
        return [(request.method, request.target) for request in self.upstream.requests[1:]]

    def test_a_get_on_a_reused_connection_that_dies_is_sent_once_more(self):
        proxy = self.serve()
        self.assertEqual(proxy.fetch("GET", "/die").body, b"fine")
        self.assertEqual(self.requests(), [("GET", "/die")] * 2)

    def test_a_post_that_the_app_may_have_seen_is_not_sent_again(self):
        proxy = self.serve()
        self.assert_problem(proxy.fetch("POST", "/die", body=b"order"), 502)
        self.assertEqual(self.requests(), [("POST", "/die")])

    def test_nothing_is_sent_again_where_replay_is_turned_off(self):
        proxy = self.serve(replay=False)
        self.assert_problem(proxy.fetch("GET", "/die"), 502)
        self.assertEqual(self.requests(), [("GET", "/die")])

    def test_a_get_on_a_fresh_connection_that_dies_is_not_sent_again(self):
        def play(connection):
            connection.read_request()
        upstream = self.start(ScriptedUpstream(play))
        proxy = self.gatehouse({"upstream": upstream.url})
        self.assert_problem(proxy.fetch("GET", "/"), 502)
        self.assertEqual(len(upstream.requests), 1)

    def test_a_post_goes_on_a_new_connection_when_the_app_has_closed_the_old_one(self):
        closed = threading.Event()
        def play(connection):
            connection.read_request()
            connection.reply(b"fine")
            connection.close()
            closed.set()
        upstream = self.start(ScriptedUpstream(play))
        proxy = self.gatehouse({"upstream": upstream.url, "workers": 1})
        for _ in range(20):
            closed.clear()
            self.assertEqual(proxy.fetch("POST", "/", body=b"x").body, b"fine")
            self.assertTrue(closed.wait(30))

    def test_the_keep_alive_time_that_an_app_tells_is_kept(self):
        def play(connection):
            while True:
                connection.read_request()
                connection.reply(b"fine", headers=[("Keep-Alive", "timeout=1")])
        upstream = self.start(ScriptedUpstream(play))
        proxy = self.gatehouse({"upstream": upstream.url, "workers": 1})
        for expected in (1, 2, 3):
            proxy.fetch("GET", "/")
            self.assertEqual(upstream.used_connections(), expected)  # a second less one: not kept at all
