"""What a client sees when the app is not there, is late, breaks off or restarts; and what the app sees of such a client."""
import socket
import threading

from support.apps import Node, ScriptedUpstream, Uvicorn
from support.case import EndToEnd
from support.http_client import Closed, fetch
from support.ports import free_port
from support.waiting import wait_until


class AppDown(EndToEnd):
    def test_an_app_that_is_not_there_is_a_502_that_says_so(self):
        gatehouse = self.gatehouse({"upstream": f"http://127.0.0.1:{free_port()}"}, ready="/livez")
        with gatehouse.connect() as connection:
            self.assert_problem(connection.fetch("GET", "/a"), 502)
            self.assert_problem(connection.fetch("POST", "/b", body=b"x"), 502)  # the connection lives on
        record = gatehouse.record(url_path="/a")
        self.assertEqual(record["gatehouse.decided_by"], "sidecar")
        self.assertEqual(record["gatehouse.response_flags"], "UF")
        self.assertTrue(record["gatehouse.reason"])

    def test_an_app_that_accepts_no_connection_in_time_is_a_504(self):
        deaf = self.enterContext(socket.socket())
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        # Connections that nobody accepts fill the queue; the kernel then leaves further ones unanswered.
        for _ in range(3):
            filler = self.enterContext(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        gatehouse = self.gatehouse({"upstream": {"url": "http://127.0.0.1:%d" % deaf.getsockname()[1],
                                                 "connect_timeout": "300ms"}}, ready="/livez")
        self.assert_problem(gatehouse.fetch("GET", "/"), 504)

    def test_an_app_that_does_not_answer_in_time_is_a_504(self):
        def play(connection):
            connection.read_request()
            connection.until_closed()
        upstream = self.start(ScriptedUpstream(play))
        gatehouse = self.gatehouse({"upstream": {"url": upstream.url, "first_byte_timeout": "300ms"}})
        self.assert_problem(gatehouse.fetch("GET", "/late"), 504)
        self.assertEqual(gatehouse.record(url_path="/late")["gatehouse.response_flags"], "UT")
        self.assertEqual(len(upstream.requests), 1)  # a request that may be at work is not sent again


class BrokenResponses(EndToEnd):
    def answer_with(self, *parts, then="close"):
        def play(connection):
            connection.read_request()
            connection.send(*parts)
            if then == "reset":
                connection.reset()
        return self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url})

    def test_a_connection_closed_without_an_answer_is_a_502(self):
        self.assert_problem(self.answer_with(b"").fetch("GET", "/"), 502)

    def test_a_connection_reset_without_an_answer_is_a_502(self):
        self.assert_problem(self.answer_with(b"", then="reset").fetch("GET", "/"), 502)

    def test_an_answer_that_is_no_http_is_a_502(self):
        for answer in (b"hello\r\n\r\n", b"HTTP/1.1 banana\r\n\r\n", b"HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n",
                       b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
                       b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"):
            with self.subTest(answer[:50]):
                self.assert_problem(self.answer_with(answer).fetch("GET", "/"), 502)

    def test_a_body_that_breaks_off_breaks_off_at_the_client_too(self):
        for head in (b"Content-Length: 100", b"Transfer-Encoding: chunked"):
            with self.subTest(head):
                gatehouse = self.answer_with(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n5\r\nhello\r\n")
                with gatehouse.connect() as connection, self.assertRaises((Closed, ConnectionResetError)):
                    connection.fetch("GET", "/cut")
                self.assertEqual(gatehouse.record(url_path="/cut")["http.response.status_code"], 200)

    def test_bytes_behind_a_response_are_never_taken_for_the_next_one(self):
        def play(connection):
            while True:
                connection.read_request()
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown"
                                "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        gatehouse = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url})
        with gatehouse.connect() as connection:
            for _ in range(10):
                self.assertEqual(connection.fetch("GET", "/").body, b"own")


class EarlyAnswers(EndToEnd):
    def test_an_answer_before_the_body_has_been_sent_reaches_the_client(self):
        gatehouse = self.gatehouse({"upstream": self.start(Node()).url})
        with gatehouse.connect() as connection:
            connection.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n", b"x" * 1000)
            response = connection.response()
            self.assertEqual((response.status, response.body), (413, b"too much"))


class ClientsThatLeave(EndToEnd):
    def test_the_app_learns_that_the_client_has_left(self):
        arrived, left = threading.Event(), threading.Event()
        def play(connection):
            connection.read_request()
            arrived.set()
            if connection.closed():
                left.set()
        gatehouse = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url})
        with gatehouse.connect() as connection:
            connection.request("GET", "/abandoned")
            self.assertTrue(arrived.wait(30))
        self.assertTrue(left.wait(30))
        record = gatehouse.record(url_path="/abandoned")
        self.assertEqual((record["gatehouse.decided_by"], record["gatehouse.response_flags"]), ("sidecar", "DC"))

    def test_an_upload_that_breaks_off_breaks_off_at_the_app_too(self):
        seen = []
        def play(connection):
            connection.read_head()
            try:
                connection.exactly(100_000)
            except (Closed, ConnectionResetError):
                seen.append("broken")
        gatehouse = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url})
        with gatehouse.connect() as connection:
            connection.send("POST /cut HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nonly this")
        wait_until(lambda: seen, "the app sees the end of the upload")
        gatehouse.record(url_path="/cut")

    def test_a_download_left_half_way_costs_one_connection_to_the_app_and_no_more(self):
        app = self.start(Uvicorn())
        gatehouse = self.gatehouse({"upstream": app.url})
        for _ in range(20):
            with gatehouse.connect() as connection:
                connection.request("GET", "/stream?parts=2000&size=100000")
                connection.head()
        self.assertEqual(gatehouse.fetch("GET", "/").status, 200)
        wait_until(lambda: len(gatehouse.records(url_path="/stream")) == 20, "each of them has its record")


class Restarts(EndToEnd):
    def test_requests_wait_for_an_app_that_is_still_starting(self):
        port = free_port()
        gatehouse = self.gatehouse({"upstream": {"url": f"http://127.0.0.1:{port}", "wait_for_app": "60s"}},
                                   ready="/livez")
        answers = []
        clients = [threading.Thread(target=lambda: answers.append(gatehouse.fetch("POST", "/count/early", body=b"x")))
                   for _ in range(5)]
        for client in clients:
            client.start()
        self.start(Uvicorn(port=port))
        for client in clients:
            client.join()
        self.assertEqual([answer.status for answer in answers], [200] * 5)
        self.assertEqual(fetch(("127.0.0.1", port), "/counts").json(), {"early": 5})

    def test_an_app_may_restart_under_load_without_a_client_noticing(self):
        port = free_port()
        gatehouse = self.gatehouse({"upstream": {"url": f"http://127.0.0.1:{port}", "wait_for_app": "10s"}},
                                   ready="/livez")
        app = Uvicorn(port=port)
        statuses, over = [], threading.Event()
        def client():
            with gatehouse.connect(timeout=90) as connection:
                while not over.is_set():
                    statuses.append(connection.fetch("GET", "/").status)
        clients = [threading.Thread(target=client) for _ in range(4)]
        for thread in clients:
            thread.start()
        for _ in range(3):
            seen = len(statuses)
            wait_until(lambda: len(statuses) > seen + 100, "requests are answered")
            app.stop()
            app = Uvicorn(port=port)
        seen = len(statuses)
        wait_until(lambda: len(statuses) > seen + 100, "requests are answered")
        over.set()
        for thread in clients:
            thread.join()
        app.stop()
        self.assertEqual(set(statuses), {200})

    def test_no_more_requests_wait_for_the_app_than_there_is_room_for(self):
        port = free_port()
        gatehouse = self.gatehouse({"upstream": {"url": f"http://127.0.0.1:{port}", "wait_for_app": "60s", "wait_queue": 3},
                                    "workers": 1}, ready="/livez")
        waiting = [self.enterContext(gatehouse.connect()) for _ in range(3)]
        for connection in waiting:
            connection.request("GET", "/")
        wait_until(lambda: gatehouse.metric("gatehouse_upstream_waits_total") == 3, "three wait")
        for _ in range(5):
            self.assert_problem(gatehouse.fetch("GET", "/refused"), 503, "upstream_queue_full")
        self.start(Uvicorn(port=port))
        self.assertEqual([connection.response().status for connection in waiting], [200] * 3)

    def test_a_request_waits_for_the_app_no_longer_than_it_may(self):
        gatehouse = self.gatehouse({"upstream": {"url": f"http://127.0.0.1:{free_port()}", "wait_for_app": "500ms"}}, ready="/livez")
        self.assert_problem(gatehouse.fetch("GET", "/"), 502)
        self.assertGreaterEqual(gatehouse.record(url_path="/")["gatehouse.duration.total"], 0.5)
