"""The apps and the client of this suite are what the other tests take them for: asked directly, without Gatehouse."""
import asyncio
import time

import websockets

from support.apps import Bulk, Gunicorn, Node, ScriptedUpstream, Uvicorn, WebSocketEcho
from support.case import EndToEnd
from support.http_client import Connection, fetch


class Apps(EndToEnd):
    def test_both_http_implementations_of_uvicorn_tell_what_reached_them(self):
        for http in ("h11", "httptools"):
            with self.subTest(http), Uvicorn(http) as app:
                seen = app.fetch("POST", "/echo/a%20b?q=1", [("X-Test", "yes")], b"12345").json()
                self.assertEqual((seen["method"], seen["path"], seen["query"], seen["body_size"]),
                                 ("POST", "/echo/a%20b", "q=1", 5))
                self.assertIn(["x-test", "yes"], seen["headers"])

    def test_uvicorn_keeps_a_connection_for_several_requests_and_closes_it_when_idle(self):
        app = self.start(Uvicorn(keep_alive=1))
        with Connection(app.address) as connection:
            for _ in range(3):
                self.assertEqual(connection.fetch("GET", "/").status, 200)
            self.assertTrue(connection.closed())
            self.assertEqual(app.fetch("GET", "/connections").json()["connections"], 2)

    def test_gunicorn_serves_the_same_app(self):
        self.assertEqual(self.start(Gunicorn()).fetch("GET", "/").json(), {"hello": "world"})

    def test_the_server_sent_events_come_one_by_one(self):
        app = self.start(Uvicorn())
        with Connection(app.address) as connection:
            connection.request("GET", "/events?count=3&interval=0.05")
            self.assertEqual(connection.head().header("Content-Type"), "text/event-stream; charset=utf-8")
            for number in range(3):
                event = connection.chunk().decode()
                self.assertTrue(event.startswith(f"id: {number}\ndata: "))
                self.assertLess(abs(time.time() - float(event.split("data: ")[1])), 30)

    def test_node_sends_trailers_and_counts_its_posts(self):
        app = self.start(Node())
        response = app.fetch("GET", "/trailers")
        self.assertEqual((response.body, response.trailers), (b"body", [("X-Checksum", "abc123")]))
        for expected in (1, 2):
            self.assertEqual(app.fetch("POST", "/count/a", body=b"x").json(), {"count": expected})

    def test_bulk_sends_and_counts_in_every_framing(self):
        app = self.start(Bulk())
        for framing in ("length", "chunked", "close"):
            self.assertEqual(len(app.fetch("GET", f"/down?bytes=1000001&framing={framing}").body), 1000001)
        self.assertEqual(app.fetch("POST", "/up", body=b"x" * 300000).json(), {"bytes": 300000, "framing": "length"})
        with Connection(app.address) as connection:
            connection.send("POST /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
            self.assertEqual(connection.response().json(), {"bytes": 7, "framing": "chunked"})

    def test_the_websocket_apps_echo_and_pass_close_codes_on(self):
        async def check(url):
            async with websockets.connect(url) as socket:
                await socket.send("hello")
                self.assertEqual(await socket.recv(), "hello")
                await socket.send("close 4001 bye")
                with self.assertRaises(websockets.ConnectionClosed):
                    await socket.recv()
                self.assertEqual((socket.close_code, socket.close_reason), (4001, "bye"))
        asyncio.run(check(self.start(WebSocketEcho()).url.replace("http", "ws")))
        asyncio.run(check(self.start(Uvicorn()).url.replace("http", "ws") + "/ws"))

    def test_the_scripted_upstream_plays_its_script(self):
        def play(connection):
            while True:
                request = connection.read_request()
                connection.reply(request.body.upper())
        upstream = self.start(ScriptedUpstream(play))
        self.assertEqual(fetch(upstream.address, "/", "POST", body=b"abc").body, b"ABC")
        self.assertEqual((upstream.used_connections(), upstream.requests[0].method), (1, "POST"))
