"""Every row of the HTTP/1 table against the binary: what the app sees, what the client gets, and why, is what the row says;
over TCP and TLS, whole and byte by byte."""
import collections

from support.apps import ScriptedUpstream
from support.case import EndToEnd
from support.gatehouse import Gatehouse
from support.http1_table import rows
from support.http_client import Closed, Connection, trusting
from support.waiting import wait_until

# Longer rows are about bounds, not about where a message is cut: these come in pieces of that many bytes.
LONG, PIECE = 1500, 113


class Table(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.seen = []

        def play(connection):
            while True:
                request = connection.read_request()
                cls.seen.append(request)  # only whole ones
                connection.reply(b"" if request.method == "HEAD" else b"fine")
        cls.upstream = cls.start_shared(ScriptedUpstream(play))
        cls.proxy = cls.start_shared(Gatehouse({"upstream": cls.upstream.url, "workers": 1}, tls=True))
        cls.refused = collections.Counter()

    def test_whole_over_tcp(self):
        self.run_all(tls=False, whole=True)

    def test_byte_by_byte_over_tcp(self):
        self.run_all(tls=False, whole=False)

    def test_whole_over_tls(self):
        self.run_all(tls=True, whole=True)

    def test_byte_by_byte_over_tls(self):
        self.run_all(tls=True, whole=False)

    def run_all(self, tls, whole):
        table = rows()
        self.assertGreater(len(table), 200)
        for row in table:
            with self.subTest(row.name), self.connect(tls) as connection:
                self.seen.clear()
                self.send(connection, row.bytes, len(row.bytes) if whole else 1 if len(row.bytes) < LONG else PIECE)
                self.check_answers(connection, row)
                self.check_app(row)
        self.check_reasons()

    def connect(self, tls):
        return Connection(self.proxy.https, tls=trusting()) if tls else Connection(self.proxy.http)

    def send(self, connection, data, piece):
        try:
            for at in range(0, len(data), piece):
                connection.send(data[at:at + piece])
        except OSError:
            pass  # refused before the end: the answer is to be read all the same

    def check_answers(self, connection, row):
        for expected in row.sees:
            self.assertEqual(connection.response(expected.method).status, 200)
        if row.status:
            # What was refused may be a HEAD, whose answer has no body; nothing but the end follows in any case.
            head = connection.head()
            self.assertEqual(head.status, row.status)
            self.assertEqual(head.header("Connection"), "close")
            connection.until_closed()
            type(self).refused[row.reason] += 1
        elif row.closes:
            self.assertTrue(connection.closed(), "the connection ends")
        elif row.unfinished:
            connection.half_close()
            self.check_unfinished(connection)
        else:
            # In step: the next request is answered as itself.
            self.assertEqual(connection.fetch("GET", "/in-step").status, 200)
            self.assertEqual(self.seen.pop().target, "/in-step")

    def check_unfinished(self, connection):
        """Nothing, or an answer that says so."""
        try:
            self.assertIn(connection.response().status, (100, 400))
        except (Closed, ConnectionError):
            pass

    def check_app(self, row):
        self.assertEqual([f"{request.method} {request.target}" for request in self.seen], [expected.line for expected in row.sees])
        for request, expected in zip(self.seen, row.sees):
            for field in expected.has:
                self.assertTrue(holds(request, field), f"{field} in {request.headers}")
            for field in expected.lacks:
                self.assertFalse(holds(request, field), f"{field} in {request.headers}")
            if expected.body is not None:
                self.assertEqual(request.body, expected.body)
            if expected.trailers is not None:
                self.assertEqual([f"{name}: {value}" for name, value in request.trailers], expected.trailers)
            self.assertEqual(len(request.all("Host")), 1)
            self.assertLessEqual(len(request.all("Content-Length") + request.all("Transfer-Encoding")), 1)

    def check_reasons(self):
        """Each refusal is in one access record and counted once, under its own reason."""
        for reason, times in self.refused.items():
            wait_until(lambda: len(self.proxy.records(gatehouse_reason=reason)) >= times, f"{times} records of {reason}")
            self.assertEqual(len(self.proxy.records(gatehouse_reason=reason)), times, reason)
            self.assertEqual(self.proxy.metric("gatehouse_requests_rejected_total", reason=reason), times, reason)


def holds(request, field):
    name, colon, value = field.partition(": ")
    return value in request.all(name) if colon else bool(request.all(name))
