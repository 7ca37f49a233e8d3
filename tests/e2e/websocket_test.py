"""WebSocket connections pass through as they are, with an independent client and two independent servers."""
import asyncio
import json
import os
import signal

import websockets

from support.apps import Node, ScriptedUpstream, Uvicorn, WebSocketEcho
from support.case import EndToEnd
from support.gatehouse import Gatehouse
from support.http_client import trusting
from support.waiting import wait_until


class WebSockets(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(WebSocketEcho())
        cls.proxy = cls.start_shared(Gatehouse({"upstream": cls.app.url}, tls=True))

    def run_client(self, talk, url=None, **options):
        async def session():
            async with websockets.connect(url or "ws://%s:%d/" % self.proxy.http, max_size=None, **options) as socket:
                return await asyncio.wait_for(talk(socket), 60)
        return asyncio.run(session())

    async def echoed(self, socket, message):
        await socket.send(message)
        self.assertEqual(await socket.recv(), message)

    def test_text_and_binary_messages_pass_both_ways(self):
        async def talk(socket):
            for message in ("hello", "", "\u00e4\U0001f600", b"\x00\xff", os.urandom(3 << 20), "x" * 65536):
                await self.echoed(socket, message)
        self.run_client(talk)

    def test_messages_pass_over_tls(self):
        self.run_client(lambda socket: self.echoed(socket, b"x" * 100_000), "wss://%s:%d/" % self.proxy.https,
                        ssl=trusting(), server_hostname="localhost")

    def test_a_message_in_fragments_and_a_ping_pass(self):
        async def talk(socket):
            await socket.send(part for part in ("a", "b", "c"))
            self.assertEqual(await socket.recv(), "abc")
            await (await socket.ping(b"payload"))
        self.run_client(talk)

    def test_many_messages_may_be_on_their_way(self):
        async def talk(socket):
            async def send():
                for number in range(1000):
                    await socket.send(f"{number}")
            sender = asyncio.create_task(send())
            self.assertEqual([await socket.recv() for _ in range(1000)], [str(number) for number in range(1000)])
            await sender
        self.run_client(talk)

    def test_the_subprotocol_is_negotiated_with_the_app(self):
        async def talk(socket):
            self.assertEqual(socket.subprotocol, "chat")
            await self.echoed(socket, "hi")
        self.run_client(talk, subprotocols=["other", "chat"])

    def test_the_close_code_of_the_app_reaches_the_client(self):
        async def talk(socket):
            await socket.send("close 4001 bye now")
            with self.assertRaises(websockets.ConnectionClosed):
                await socket.recv()
            self.assertEqual((socket.close_code, socket.close_reason), (4001, "bye now"))
        self.run_client(talk)

    def test_the_close_code_of_the_client_reaches_the_app(self):
        async def leave(socket):
            await self.echoed(socket, "hi")
            await socket.close(4001, "leaving")
            self.assertEqual(socket.close_code, 4001)
        async def ask(socket):
            await socket.send("closed")
            return json.loads(await socket.recv())
        self.run_client(leave)
        wait_until(lambda: 4001 in self.run_client(ask), "the app has seen the code")

    def test_fifty_connections_at_once(self):
        async def one(number):
            async with websockets.connect("ws://%s:%d/" % self.proxy.http) as socket:
                for step in range(20):
                    await self.echoed(socket, f"{number}.{step}")
        async def all_of_them():
            await asyncio.wait_for(asyncio.gather(*(one(number) for number in range(50))), 60)
        asyncio.run(all_of_them())

    def test_a_websocket_has_one_access_record_with_status_101(self):
        self.run_client(lambda socket: self.echoed(socket, "hi"), "ws://%s:%d/recorded?token=abc123" % self.proxy.http)
        record = self.proxy.record(url_path="/recorded")
        self.assertEqual(record["http.response.status_code"], 101)
        self.assertNotIn("abc123", str(record))


class WebSocketsOfFastApi(EndToEnd):
    def test_both_http_implementations_of_uvicorn_upgrade(self):
        for http in ("h11", "httptools"):
            with self.subTest(http), Uvicorn(http) as app, Gatehouse({"upstream": app.url}) as proxy:
                async def talk():
                    async with websockets.connect("ws://%s:%d/ws" % proxy.http) as socket:
                        await socket.send("hello")
                        self.assertEqual(await socket.recv(), "hello")
                        await socket.send("close 4001 bye")
                        with self.assertRaises(websockets.ConnectionClosed):
                            await socket.recv()
                        self.assertEqual((socket.close_code, socket.close_reason), (4001, "bye"))
                asyncio.run(talk())
                self.assertEqual(proxy.fetch("GET", "/").status, 200)

    def test_an_upgrade_the_app_refuses_is_an_ordinary_response(self):
        proxy = self.gatehouse({"upstream": self.start(Node()).url})
        with proxy.connect() as connection:
            response = connection.fetch("GET", "/echo", [("Connection", "Upgrade"), ("Upgrade", "something-else")])
            self.assertEqual(response.status, 200)
            self.assertEqual(connection.fetch("GET", "/").status, 200)


class Tunnels(EndToEnd):
    """What holds for the bytes of an upgraded connection, whatever the two sides say in them."""

    ASK = ("GET /raw HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    GRANT = ("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")

    def upgrade(self, connection):
        connection.read_head()
        connection.send(self.GRANT)

    def open(self, play, early=b""):
        self.upstream = self.start(ScriptedUpstream(play))
        self.proxy = self.gatehouse({"upstream": self.upstream.url})
        connection = self.enterContext(self.proxy.connect())
        connection.send(self.ASK, early)
        self.assertEqual(connection.response().status, 101)
        return connection

    def test_bytes_that_came_with_the_upgrade_are_not_lost(self):
        def play(connection):
            connection.read_head()
            connection.send(self.GRANT, "first")
            connection.send(connection.exactly(5))
        connection = self.open(play, early=b"early")
        self.assertEqual(connection.exactly(10), b"firstearly")

    def test_when_one_side_has_said_all_the_other_may_go_on(self):
        def play(connection):
            self.upgrade(connection)
            connection.send(connection.until_closed().upper())
        connection = self.open(play)
        connection.send("all of it")
        connection.half_close()
        self.assertEqual(connection.until_closed(), b"ALL OF IT")

    def test_when_the_app_breaks_the_connection_the_client_sees_its_end(self):
        def play(connection):
            self.upgrade(connection)
            connection.exactly(2)
            connection.reset()
        connection = self.open(play)
        connection.send("hi")
        self.assertTrue(connection.closed())

    def test_sigterm_tells_both_sides_1001_and_ends_silent_tunnels_at_the_drain_deadline(self):
        heard = []
        def play(connection):
            self.upgrade(connection)
            heard.append(connection.until_closed())
        self.upstream = self.start(ScriptedUpstream(play))
        self.proxy = self.gatehouse({"upstream": self.upstream.url, "shutdown": {"deadline": "1s"}})
        with self.proxy.connect() as connection:
            connection.send(self.ASK)
            self.assertEqual(connection.response().status, 101)
            self.proxy.send_signal(signal.SIGTERM)
            self.assertEqual(connection.until_closed(), b"\x88\x02\x03\xe9")
        masked = wait_until(lambda: heard, "the app saw its end")[0]
        self.assertEqual(masked[:2], b"\x88\x82")
        self.assertEqual(bytes(byte ^ masked[2 + at] for at, byte in enumerate(masked[6:])), b"\x03\xe9")
        self.assertEqual(self.proxy.wait(), 0)  # a second signal would be one to stop at once

    def test_another_protocol_is_never_upgraded_to_past_the_filters(self):
        def play(connection):
            request = connection.read_head()
            if request.header("Upgrade"):
                raise AssertionError("the app was asked to speak h2c")
            connection.reply(b"plain")
        proxy = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url})
        response = proxy.fetch("GET", "/", [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")])
        self.assertEqual(response.body, b"plain")

    def test_a_101_that_nobody_asked_for_is_a_502(self):
        def play(connection):
            self.upgrade(connection)
        proxy = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url})
        self.assert_problem(proxy.fetch("GET", "/"), 502)
