"""Apps close idle connections when they like, just when the next request is on its way. No client may notice, and no POST
may be executed twice."""
import collections
import concurrent.futures
import itertools
import random
import threading

from support.apps import Node, ScriptedUpstream, Uvicorn
from support.case import EndToEnd
from support.waiting import wait_until


class Race(EndToEnd):
    """The app closes after one second; Gatehouse would keep its connections for longer, and volleys of requests come just then:
    every GET finds a connection that is being closed, and is sent again where it was lost; a POST, which cannot be sent again, takes a
    new one. More than 5,000 requests in all."""

    CLIENTS, ROUNDS = 150, 6

    def volley(self, app, keeps):
        proxy = self.gatehouse({"upstream": {"url": app.url, "idle_timeout": keeps}, "workers": 2})
        outcomes, pause = [], threading.Event()
        keys = itertools.count()
        sent = []
        chance = random.Random(1)
        moments = [[chance.uniform(0.97, 1.03) for _ in range(self.CLIENTS)] for _ in range(2 * self.ROUNDS)]
        together = threading.Barrier(self.CLIENTS, timeout=120)

        def client(number):
            with proxy.connect() as connection:
                for turn in range(2 * self.ROUNDS):
                    together.wait()
                    pause.wait(moments[turn][number])  # the pace of the traffic, not a wait for anything
                    if turn % 2 == 0:
                        outcomes.append(connection.fetch("GET", "/counts").status)
                    else:
                        key = f"post-{next(keys)}"
                        sent.append((key, connection.fetch("POST", f"/count/{key}", body=b"x").status))
        clients = [threading.Thread(target=client, args=(number,)) for number in range(self.CLIENTS)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        self.assertEqual(outcomes, [200] * (self.CLIENTS * self.ROUNDS))
        counts = app.fetch("GET", "/counts").json()
        self.assertEqual(len(sent), self.CLIENTS * self.ROUNDS)
        self.assertEqual([key for key, _ in sent if counts.get(key, 0) > 1], [], "executed twice")
        self.assertEqual([(key, status) for key, status in sent if (status, counts.get(key, 0)) != (200, 1)], [])
        closed = proxy.metric("gatehouse_upstream_stale_connections_total")
        replayed = proxy.metric("gatehouse_upstream_replays_total")
        print(f"{len(outcomes) + len(sent)} requests; found closed: {closed:.0f}, replayed: {replayed:.0f}, "
              f"{len(sent)} of them POSTs")
        return closed + replayed

    def test_uvicorn_on_h11_may_close_first(self):
        self.assertGreater(self.volley(self.start(Uvicorn("h11", keep_alive=1)), "4s"), 0, "it was no race")

    def test_uvicorn_on_httptools_may_close_first(self):
        self.assertGreater(self.volley(self.start(Uvicorn("httptools", keep_alive=1)), "4s"), 0, "it was no race")

    def test_node_may_close_first(self):
        # It tells its time in Keep-Alive, so that no connection is kept into the race.
        self.volley(self.start(Node(keep_alive_ms=1000)), "4s")

    def test_an_app_may_close_at_the_first_byte_of_every_second_request(self):
        """Scripted: the next request is on its way, and its first byte is answered by an end or a reset."""
        for how in ("end", "reset"):
            with self.subTest(how):
                executed = collections.Counter()

                def play(connection):
                    request = connection.read_request()
                    executed[request.target] += 1
                    connection.reply(b"fine")
                    connection.socket.recv(1)
                    if how == "reset":
                        connection.reset()
                    else:
                        connection.half_close()
                        connection.until_closed()
                upstream = self.start(ScriptedUpstream(play))
                proxy = self.gatehouse({"upstream": upstream.url, "workers": 2})

                def client(number):
                    with proxy.connect() as connection:
                        for turn in range(30):
                            self.assertEqual(connection.fetch("GET", f"/get/{number}/{turn}").status, 200)
                            posted = connection.fetch("POST", f"/post/{number}/{turn}", body=b"x").status
                            self.assertIn((posted, executed[f"/post/{number}/{turn}"]), [(200, 1), (502, 0)])
                with concurrent.futures.ThreadPoolExecutor(10) as pool:
                    for done in [pool.submit(client, number) for number in range(10)]:
                        done.result()
                self.assertGreater(proxy.metric("gatehouse_upstream_replays_total"), 0)


class IdleEnd(EndToEnd):
    """An idle connection ends in order: nobody sees a reset."""

    def test_an_idle_connection_to_the_app_ends_with_fin(self):
        ends = []

        def play(connection):
            connection.read_request()
            connection.reply(b"fine")
            try:
                ends.append(connection.socket.recv(1))
            except ConnectionResetError:
                ends.append("reset")
        proxy = self.gatehouse({"upstream": {"url": self.start(ScriptedUpstream(play)).url, "idle_timeout": "200ms"}})
        for number in range(1, 4):
            self.assertEqual(proxy.fetch("GET", "/").body, b"fine")
            wait_until(lambda: len(ends) == number, "the idle connection ends")
        self.assertEqual(ends, [b""] * 3)

    def test_connections_to_the_app_end_with_fin_when_gatehouse_ends(self):
        ends = []

        def play(connection):
            connection.read_request()
            connection.reply(b"fine")
            try:
                ends.append(connection.socket.recv(1))
            except ConnectionResetError:
                ends.append("reset")
        proxy = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url})
        self.assertEqual(proxy.fetch("GET", "/").body, b"fine")
        proxy.finish()
        wait_until(lambda: ends, "it ends")
        self.assertEqual(ends, [b""])

    def test_an_idle_connection_of_a_client_ends_with_fin(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "timeouts": {"keep_alive": "200ms"}})
        with proxy.connect() as connection:
            self.assertEqual(connection.fetch("GET", "/").status, 200)
            self.assertEqual(connection.socket.recv(1), b"")


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
