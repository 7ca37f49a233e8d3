"""Bodies of any size and pace pass through: nothing is gathered, and whoever is slow slows the other side down."""
import socket
import threading

from support.apps import Bulk, ScriptedUpstream, Uvicorn
from support.case import EndToEnd
from support.gatehouse import SANITIZED, Gatehouse
from support.http_client import Closed, Connection, trusting
from support.waiting import wait_until

GIB = 1 << 30
SIZE = GIB if not SANITIZED else GIB // 16
# What Gatehouse's resident memory may grow by while SIZE bytes pass. A sanitizer keeps freed memory for a while.
MEMORY_KIB = 32 * 1024 if not SANITIZED else 400 * 1024
BLOCK = bytes(1 << 20)


class Gigabytes(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Bulk())
        cls.proxy = cls.start_shared(Gatehouse({"upstream": cls.app.url, "limits": {"body": "2GiB"}}, tls=True))

    def setUp(self):
        self.proxy.fetch("GET", "/down?bytes=1000000")
        self.proxy.reset_peak_memory()
        self.memory_before = self.proxy.peak_memory_kib()

    def tearDown(self):
        self.assertLess(self.proxy.peak_memory_kib() - self.memory_before, MEMORY_KIB)

    def download(self, connection, framing):
        connection.request("GET", f"/down?bytes={SIZE}&framing={framing}", [("Connection", "close")])
        self.assertEqual(connection.head().status, 200)
        if framing == "chunked":
            received = sum(len(part) for part in iter(connection.chunk, b""))
        else:
            received = connection.count_until_closed()
        self.assertEqual(received, SIZE)

    def test_a_gibibyte_down_with_a_length(self):
        with self.proxy.connect() as connection:
            self.download(connection, "length")

    def test_a_gibibyte_down_in_chunks(self):
        with self.proxy.connect() as connection:
            self.download(connection, "chunked")

    def test_a_gibibyte_down_over_tls(self):
        with Connection(self.proxy.https, trusting()) as connection:
            self.download(connection, "length")

    def test_a_gibibyte_up_with_a_length(self):
        with self.proxy.connect() as connection:
            connection.send(f"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n")
            for _ in range(SIZE // len(BLOCK)):
                connection.send(BLOCK)
            self.assertEqual(connection.response().json(), {"bytes": SIZE, "framing": "length"})

    def test_a_gibibyte_up_in_chunks(self):
        with self.proxy.connect() as connection:
            connection.send("POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(SIZE // len(BLOCK)):
                connection.send(b"%x\r\n" % len(BLOCK), BLOCK, b"\r\n")
            connection.send("0\r\n\r\n")
            self.assertEqual(connection.response().json(), {"bytes": SIZE, "framing": "chunked"})

    def test_a_gibibyte_up_over_tls(self):
        with Connection(self.proxy.https, trusting()) as connection:
            connection.send(f"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n")
            for _ in range(SIZE // len(BLOCK)):
                connection.send(BLOCK)
            self.assertEqual(connection.response().json(), {"bytes": SIZE, "framing": "length"})


class BackPressure(EndToEnd):
    # Kernel buffers on both connections, and what Gatehouse holds, together stay far under this.
    ON_THE_WAY = 64 << 20

    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Bulk())
        cls.proxy = cls.start_shared(Gatehouse({"upstream": cls.app.url, "limits": {"body": "2GiB"}}))

    def settled(self, read):
        """The value of read() once it has stopped growing."""
        last = [-1, 0]
        def stands_still():
            value = read()
            last[:] = [value, last[1] + 1 if value == last[0] else 0]
            return last[1] >= 30
        wait_until(stands_still, "the transfer stands still")
        return last[0]

    def test_an_app_is_not_read_faster_than_its_client_reads(self):
        with self.proxy.connect() as connection:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            connection.request("GET", f"/down?bytes={GIB}", [("Connection", "close")])
            self.assertEqual(connection.head().status, 200)
            sent = self.settled(lambda: self.app.fetch("GET", "/progress").json()["sent"])
            self.assertGreater(sent, 0)
            self.assertLess(sent, self.ON_THE_WAY)

    def test_a_client_is_not_read_faster_than_its_app_reads(self):
        with self.proxy.connect() as connection:
            connection.send(f"POST /up?pause=1 HTTP/1.1\r\nHost: a\r\nContent-Length: {GIB}\r\n\r\n")
            sent = [0]
            def send():
                try:
                    while sent[0] < GIB:
                        sent[0] += connection.socket.send(BLOCK[:GIB - sent[0]])
                except OSError:
                    pass
            sender = threading.Thread(target=send)
            sender.start()
            self.assertLess(self.settled(lambda: sent[0]), self.ON_THE_WAY)
            self.app.fetch("GET", "/go")
            wait_until(lambda: sent[0] > 2 * self.ON_THE_WAY, "the upload goes on")
            connection.socket.shutdown(socket.SHUT_RDWR)
            sender.join()


class Pace(EndToEnd):
    def test_each_event_reaches_the_client_before_the_app_sends_the_next(self):
        read = threading.Semaphore(0)
        def play(connection):
            connection.read_request()
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for number in range(20):
                event = b"data: %d\n\n" % number
                connection.send(b"%x\r\n%s\r\n" % (len(event), event))
                if not read.acquire(timeout=30):
                    raise AssertionError("the event before did not arrive")
            connection.send("0\r\n\r\n")
        proxy = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url}, tls=True)
        with Connection(proxy.https, trusting()) as connection:
            connection.request("GET", "/events")
            self.assertEqual(connection.head().header("Content-Type"), "text/event-stream")
            for number in range(20):
                self.assertEqual(connection.chunk(), b"data: %d\n\n" % number)
                read.release()
            self.assertEqual(connection.chunk(), b"")

    def test_an_endless_stream_of_fastapi_flows_until_the_client_leaves(self):
        app = self.start(Uvicorn("httptools"))
        proxy = self.gatehouse({"upstream": app.url})
        with proxy.connect() as connection:
            connection.request("GET", "/events?interval=0.02")
            connection.head()
            for number in range(25):
                self.assertTrue(connection.chunk().startswith(b"id: %d\n" % number))
        record = proxy.record(url_path="/events")
        self.assertEqual(record["http.response.status_code"], 200)

    def test_each_part_of_an_upload_reaches_the_app_before_the_client_sends_the_next(self):
        seen = threading.Semaphore(0)
        def play(connection):
            connection.read_head()
            for number in range(20):
                if connection.chunk() != b"part %d" % number:
                    raise AssertionError("the parts came otherwise")
                seen.release()
            connection.chunk()
            connection.line()
            connection.reply(b"all")
        proxy = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url})
        with proxy.connect() as connection:
            connection.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for number in range(20):
                part = b"part %d" % number
                connection.send(b"%x\r\n%s\r\n" % (len(part), part))
                self.assertTrue(seen.acquire(timeout=30))
            connection.send("0\r\n\r\n")
            self.assertEqual(connection.response().body, b"all")

    def test_a_response_may_begin_before_the_request_has_ended(self):
        def play(connection):
            connection.read_head()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while part := connection.chunk():
                connection.send(b"%x\r\n%s\r\n" % (len(part), part.upper()))
            connection.send("0\r\n\r\n")
        proxy = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url})
        with proxy.connect() as connection:
            connection.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            self.assertEqual(connection.head().status, 200)
            for part in (b"one", b"two"):
                connection.send(b"%x\r\n%s\r\n" % (len(part), part))
                self.assertEqual(connection.chunk(), part.upper())
            connection.send("0\r\n\r\n")
            self.assertEqual(connection.chunk(), b"")


class LongAnswers(EndToEnd):
    """Answers that are long enough for the kernel to move most of them from one socket to the other."""
    SIZES = (3000, 5000, 32 * 1024, 64 * 1024 - 1, 64 * 1024, 100_000, (1 << 20) + 7, 5_000_000)

    def play_sizes(self, connection):
        while True:
            target = connection.read_request().target
            size = int(target.removeprefix("/"))
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, self.bytes_of(size))

    @staticmethod
    def bytes_of(size):
        return (b"".join(b"%07d\n" % number for number in range(size // 8 + 1)))[:size]

    def check_sizes(self, config, address=lambda proxy: proxy.http, **options):
        proxy = self.gatehouse({"upstream": self.start(ScriptedUpstream(self.play_sizes)).url, **config}, **options)
        with Connection(address(proxy), trusting() if options else None) as connection:
            # Small ones between, so that each kind follows each.
            for size in [s for each in self.SIZES for s in (each, 100, each)]:
                self.assertEqual(connection.fetch("GET", f"/{size}").body, self.bytes_of(size))
        for size in self.SIZES:
            self.assertEqual(wait_until(lambda: len(found := proxy.records(url_path=f"/{size}")) == 2 and found, "two records")[0]
                             ["http.response.body.size"], size)

    def test_every_byte_arrives_in_its_place(self):
        self.check_sizes({})

    def test_every_byte_arrives_in_its_place_over_tls(self):
        self.check_sizes({}, address=lambda proxy: proxy.https, tls=True)

    def test_every_byte_arrives_in_its_place_where_bodies_are_logged(self):
        self.check_sizes({"log": {"bodies": {"enabled": True}}})

    def test_an_app_that_breaks_off_half_way_is_told_as_such(self):
        def play(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n", bytes(3_000_000))
        proxy = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url})
        with proxy.connect() as connection, self.assertRaises((Closed, ConnectionResetError)):
            connection.fetch("GET", "/half")
        record = proxy.record(url_path="/half")
        self.assertEqual((record["gatehouse.reason"], record["gatehouse.decided_by"]), ("upstream_body_incomplete", "sidecar"))
        self.assertLessEqual(record["http.response.body.size"], 3_000_000)

    def test_an_app_that_falls_silent_half_way_is_given_up(self):
        def play(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n", bytes(3_000_000))
            connection.receive()
        proxy = self.gatehouse({"upstream": {"url": self.start(ScriptedUpstream(play)).url, "read_idle_timeout": "300ms"}})
        with proxy.connect() as connection, self.assertRaises((Closed, ConnectionResetError)):
            connection.fetch("GET", "/silent")
        self.assertEqual(proxy.record(url_path="/silent")["gatehouse.reason"], "upstream_body_timeout")

    def test_a_client_that_leaves_half_way_ends_the_apps_connection(self):
        left = threading.Event()
        def play(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            try:
                while True:
                    connection.send(BLOCK)
            except OSError:
                left.set()
        proxy = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url})
        with proxy.connect() as connection:
            connection.request("GET", "/leave")
            self.assertEqual(connection.head().status, 200)
            connection.exactly(2_000_000)
        self.assertTrue(left.wait(30))
        self.assertEqual(proxy.record(url_path="/leave")["gatehouse.reason"], "client_disconnected")

    def test_a_client_that_stops_reading_half_way_is_given_up(self):
        proxy = self.gatehouse({"upstream": self.start(Bulk()).url, "timeouts": {"write_idle": "500ms"}})
        with proxy.connect() as connection:
            connection.request("GET", f"/down?bytes={GIB}")
            self.assertEqual(connection.head().status, 200)
            self.assertEqual(proxy.record(url_path="/down")["gatehouse.reason"], "client_disconnected")
