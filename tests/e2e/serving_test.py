"""An unmodified app behind Gatehouse: requests and responses arrive as they were sent, over every kind of address."""
import hashlib
import os
import tempfile

from support.apps import Gunicorn, Node, ScriptedUpstream, Uvicorn
from support.case import EndToEnd
from support.gatehouse import Gatehouse
from support.http_client import Connection, fetch, trusting
from support.ports import free_port


class Apps(EndToEnd):
    def test_fastapi_is_served_over_http_and_https_whatever_http_implementation_it_runs_on(self):
        for http in ("h11", "httptools"):
            with self.subTest(http), Uvicorn(http) as app, Gatehouse({"upstream": app.url}, tls=True) as gatehouse:
                body = os.urandom(100_000)
                for address, tls in ((gatehouse.http, None), (gatehouse.https, trusting())):
                    self.assertEqual(fetch(address, "/", tls=tls).json(), {"hello": "world"})
                    seen = fetch(address, "/echo/a%20b?x=1&x=%2F", "PUT", [("X-Test", "yes")], body, tls=tls).json()
                    self.assertEqual((seen["method"], seen["path"], seen["query"]), ("PUT", "/echo/a%20b", "x=1&x=%2F"))
                    self.assertIn(["x-test", "yes"], seen["headers"])
                    self.assertEqual(seen["body_sha256"], hashlib.sha256(body).hexdigest())

    def test_an_app_under_gunicorn_is_served(self):
        gatehouse = self.gatehouse({"upstream": self.start(Gunicorn()).url})
        self.assertEqual(gatehouse.fetch("GET", "/").json(), {"hello": "world"})

    def test_an_app_on_node_is_served(self):
        gatehouse = self.gatehouse({"upstream": self.start(Node()).url})
        seen = gatehouse.fetch("PATCH", "/a?b=c", [("X-Test", "yes")], b"12345").json()
        self.assertEqual((seen["method"], seen["target"], seen["body_size"]), ("PATCH", "/a?b=c", 5))


class Messages(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Uvicorn())
        cls.gatehouse_shared = cls.start_shared(Gatehouse({"upstream": cls.app.url}))

    def fetch(self, *arguments):
        return self.gatehouse_shared.fetch(*arguments)

    def connect(self):
        return self.enterContext(self.gatehouse_shared.connect())

    def test_one_client_connection_carries_many_requests(self):
        connection = self.connect()
        for number in range(50):
            response = connection.fetch("POST", f"/echo/{number}", body=b"x" * number)
            self.assertEqual((response.json()["path"], response.json()["body_size"]), (f"/echo/{number}", number))

    def test_many_client_connections_share_one_connection_to_the_app(self):
        before = self.app.fetch("GET", "/connections").json()["connections"]
        for _ in range(20):
            self.assertEqual(self.fetch("GET", "/", [("Connection", "close")]).status, 200)
        after = self.app.fetch("GET", "/connections").json()["connections"]
        # One for asking directly, and one for each worker at most.
        self.assertLessEqual(after - before, 1 + (os.cpu_count() or 1))

    def test_requests_sent_ahead_are_answered_in_order(self):
        connection = self.connect()
        connection.send(*(f"GET /echo/{number} HTTP/1.1\r\nHost: a\r\n\r\n" for number in range(10)))
        self.assertEqual([connection.response().json()["path"] for _ in range(10)], [f"/echo/{n}" for n in range(10)])

    def test_a_request_may_come_byte_by_byte(self):
        connection = self.connect()
        for byte in b"POST /echo/slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n":
            connection.send(bytes([byte]))
        self.assertEqual(connection.response().json()["body_size"], 3)

    def test_connection_close_is_honoured_after_the_response(self):
        connection = self.connect()
        response = connection.fetch("GET", "/", [("Connection", "close")])
        self.assertEqual((response.status, response.header("Connection")), (200, "close"))
        self.assertTrue(connection.closed())

    def test_an_http_1_0_client_gets_a_response_without_chunks_and_the_end_of_the_connection(self):
        connection = self.connect()
        connection.send("GET /stream?parts=3&size=10 HTTP/1.0\r\nHost: a\r\n\r\n")
        response = connection.response()
        self.assertIsNone(response.header("Transfer-Encoding"))
        self.assertEqual(response.body, b"000000000011111111112222222222")
        self.assertTrue(connection.closed())

    def test_a_chunked_request_body_arrives_whole(self):
        connection = self.connect()
        connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (b"a" * 10, b"b" * 70_000, b"c"):
            connection.send(b"%x\r\n%s\r\n" % (len(part), part))
        connection.send("0\r\n\r\n")
        self.assertEqual(connection.response().json()["body_sha256"],
                         hashlib.sha256(b"a" * 10 + b"b" * 70_000 + b"c").hexdigest())
        self.assertEqual(connection.fetch("GET", "/").status, 200)

    def test_a_chunked_response_body_arrives_whole(self):
        response = self.fetch("GET", "/stream?parts=30&size=5000")
        self.assertEqual(response.header("Transfer-Encoding"), "chunked")
        self.assertEqual(response.body, b"".join(b"%d" % (i % 10) * 5000 for i in range(30)))

    def test_a_response_to_head_has_the_length_and_no_body(self):
        connection = self.connect()
        response = connection.fetch("HEAD", "/document")
        self.assertEqual((response.status, response.header("Content-Length")), (200, "1000"))
        self.assertEqual(len(connection.fetch("GET", "/document").body), 1000)

    def test_204_and_304_end_with_their_head(self):
        connection = self.connect()
        for status in (204, 304):
            response = connection.fetch("GET", f"/status/{status}")
            self.assertEqual(response.status, status)
            self.assertIsNone(response.header("Transfer-Encoding"))
            self.assertEqual(connection.fetch("GET", "/").json(), {"hello": "world"})
        self.assertEqual(connection.fetch("GET", "/status/304").header("ETag"), '"v1"')

    def test_each_set_cookie_field_stays_a_field_of_its_own(self):
        self.assertEqual([value.split(";")[0] for value in self.fetch("GET", "/cookies").all("Set-Cookie")], ["a=1", "b=2"])

    def test_a_client_that_expects_100_continue_is_told_to_go_on(self):
        connection = self.connect()
        connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        self.assertEqual(connection.head().status, 100)
        connection.send("hello")
        response = connection.response()
        self.assertEqual((response.status, response.json()["body_size"]), (200, 5))

    def test_a_body_over_the_limit_is_refused_before_it_is_sent_by_a_client_that_expects_100_continue(self):
        connection = self.connect()
        connection.send(f"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {11 << 20}\r\nExpect: 100-continue\r\n\r\n")
        response = connection.response()
        self.assertEqual(response.interim, [])
        self.assert_problem(response, 413)

    def test_a_body_over_the_limit_is_refused_also_when_its_length_is_not_told(self):
        connection = self.connect()
        connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(11):
                connection.send(b"100000\r\n", b"x" * 0x100000, b"\r\n")
        except OSError:
            pass  # it may close before the last part
        self.assert_problem(connection.response(), 413)

    def test_a_request_head_over_the_limit_is_refused(self):
        self.assert_problem(self.fetch("GET", "/", [("X-Long", "x" * 20_000)]), 431)
        self.assert_problem(self.fetch("GET", "/", [(f"X-{n}", "1") for n in range(150)]), 431)
        self.assert_problem(self.fetch("GET", "/" + "x" * 9000), 414)


class Trailers(EndToEnd):
    def test_trailers_of_a_response_reach_a_client_that_takes_them(self):
        gatehouse = self.gatehouse({"upstream": self.start(Node()).url})
        response = gatehouse.fetch("GET", "/trailers", [("TE", "trailers"), ("Connection", "TE")])
        self.assertEqual((response.body, response.trailers), (b"body", [("X-Checksum", "abc123")]))

    def test_trailers_of_a_request_reach_the_app(self):
        gatehouse = self.gatehouse({"upstream": self.start(Node()).url})
        with gatehouse.connect() as connection:
            connection.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n"
                            "3\r\nabc\r\n0\r\nX-Checksum: abc123\r\n\r\n")
            seen = connection.response().json()
            self.assertEqual(seen["body_size"], 3)
            self.assertEqual(seen["trailers"], ["X-Checksum", "abc123"])


class InterimResponses(EndToEnd):
    def test_early_hints_of_the_app_reach_the_client_before_the_response(self):
        def play(connection):
            while True:
                connection.read_request()
                connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
                connection.reply(b"page")
        gatehouse = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url})
        response = gatehouse.fetch("GET", "/")
        self.assertEqual(response.body, b"page")
        self.assertEqual([hint.status for hint in response.interim], [103])


class Addresses(EndToEnd):
    def test_the_app_may_listen_on_ipv6(self):
        app = self.start(Uvicorn(host="::1"))
        self.assertEqual(self.gatehouse({"upstream": app.url}).fetch("GET", "/").json(), {"hello": "world"})

    def test_the_app_may_listen_on_a_unix_socket(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        app = self.start(Uvicorn(uds=f"{folder}/app.sock"))
        self.assertEqual(self.gatehouse({"upstream": app.url}).fetch("GET", "/").json(), {"hello": "world"})

    def test_the_app_may_be_named_by_a_host_name(self):
        app = self.start(Uvicorn())
        gatehouse = self.gatehouse({"upstream": f"http://localhost:{app.address[1]}"})
        self.assertEqual(gatehouse.fetch("GET", "/").json(), {"hello": "world"})

    def test_listeners_on_ipv6_and_on_a_unix_socket_serve_as_any_other(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        app, port = self.start(Uvicorn()), free_port()
        self.gatehouse({"upstream": app.url,
                        "listeners": [{"address": f"[::1]:{port}"}, {"address": f"unix:{folder}/gatehouse.sock"}]})
        for address in (("::1", port), f"{folder}/gatehouse.sock"):
            for _ in range(5):
                self.assertEqual(fetch(address, "/").json(), {"hello": "world"})

    def test_a_unix_socket_left_behind_by_a_killed_process_is_replaced(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = f"{folder}/gatehouse.sock"
        app = self.start(Uvicorn())
        config = {"upstream": app.url, "listeners": [{"address": f"unix:{path}"}]}
        import signal
        killed = Gatehouse(config)
        killed.stop(signal.SIGKILL)
        self.assertTrue(os.path.exists(path))
        self.gatehouse(config)
        self.assertEqual(fetch(path, "/").json(), {"hello": "world"})
        with Connection(path) as connection:
            self.assertEqual(connection.fetch("GET", "/echo").json()["method"], "GET")
