"""Hostile byte streams through Gatehouse to five real servers. For every stream each server must have seen exactly the requests,
with exactly the bodies, that Gatehouse's records call forwarded, and no others.

The streams are those of the HTTP/1 table, each also with a further request behind it and with a few bytes changed (the same ones in
every run; $GATEHOUSE_MUTANTS says how many), and those of the file $GATEHOUSE_EXTRA_STREAMS where it is set: a line is a JSON
object with `id` and, as `b64`, the bytes. Each stream comes from an address of its own, told by a PROXY header, which the records
and the servers name: nothing is added to the bytes, and a request that came out of another one's body belongs to nobody."""
import base64
import collections
import concurrent.futures
import json
import os
import random
import re
import socket

from support.case import EndToEnd
from support.http1_table import rows
from support.http_client import Connection
from support.ports import free_port
from support.seeing_apps import SeeingApp

CLIENTS = 12
MUTANTS = int(os.environ.get("GATEHOUSE_MUTANTS", "1500"))
FURTHER = b"GET /further HTTP/1.1\r\nHost: a\r\n\r\n"
# What parsers have differed about.
NASTY = [bytes([code]) for code in (0, 9, 10, 11, 12, 13, 32, 34, 35, 37, 43, 44, 45, 48, 49, 58, 59, 63, 92, 95, 127, 128, 160, 255)] + [
    b"\r\n", b"\r\n\r\n", b"\n\n", b"0\r\n\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"chunked", b"HTTP/1.1", b"HTTP/1.0"]
# A server may refuse what Gatehouse forwards: there is one reading of it, which it does not like. Why each of them does:
KNOWN_TO_LLHTTP = {
    "DELETE", "GET", "HEAD", "POST", "PUT", "CONNECT", "OPTIONS", "TRACE", "COPY", "LOCK", "MKCOL", "MOVE", "PROPFIND", "PROPPATCH",
    "SEARCH", "UNLOCK", "BIND", "REBIND", "UNBIND", "ACL", "REPORT", "MKACTIVITY", "CHECKOUT", "MERGE", "M-SEARCH", "NOTIFY",
    "SUBSCRIBE", "UNSUBSCRIBE", "PATCH", "PURGE", "MKCALENDAR", "LINK", "UNLINK", "SOURCE"}
REFUSED_BY_SERVERS = {
    "uvicorn_h11": lambda request: request.upgrades,  # here it speaks no WebSocket
    "uvicorn_httptools": lambda request: request.upgrades or request.method not in KNOWN_TO_LLHTTP,
    "gunicorn": lambda request: request.size > 4000 or request.lines > 90,  # its limits, with the fields that Gatehouse adds
    "node": lambda request: request.size > 14000 or request.method not in KNOWN_TO_LLHTTP,
    "nginx": lambda request: (request.path == "*" or request.conditional or b".." in request.text
                              or re.search("[^A-Z_-]", request.method)),  # a host with an empty part, a method with a digit
}


class Stream:
    def __init__(self, name, data, ends=False, expected=None):
        self.name, self.bytes, self.ends, self.expected = name, data, ends, expected


def streams():
    table = rows()
    found = [Stream(row.name, row.bytes, row.unfinished, row.sees) for row in table]
    found += [Stream(f"{row.name}, and one more", row.bytes + FURTHER) for row in table]
    if extra := os.environ.get("GATEHOUSE_EXTRA_STREAMS"):
        with open(extra) as file:
            for entry in map(json.loads, file):
                found.append(Stream(entry["id"], base64.b64decode(entry["b64"])))
    chance = random.Random(1)
    originals = [stream for stream in found if len(stream.bytes) < 1500]
    for number in range(MUTANTS):
        original = chance.choice(originals)
        found.append(Stream(f"{original.name}, mutant {number}", mutant(original.bytes, chance)))
    return found


def mutant(data, chance):
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.choice(NASTY + [b""]) + data[at + chance.randint(0, 2):]
    return data


def address(index):
    return f"10.{index // 62500 + 1}.{index // 250 % 250}.{index % 250 + 1}"


def send(proxy, index, stream):
    with Connection(proxy) as connection:
        connection.send(f"PROXY TCP4 {address(index)} 127.0.0.1 1000 80\r\n")
        try:
            connection.send(stream.bytes)
            if not stream.ends:
                # Whoever says at once that no more will come may be taken for gone; but some streams get no answer at all.
                connection.socket.settimeout(0.3)
                try:
                    connection.socket.recv(1, socket.MSG_PEEK)
                except TimeoutError:
                    pass
                connection.socket.settimeout(60)
            connection.half_close()
            connection.until_closed()
        except TimeoutError:
            raise AssertionError(f"no end of the connection: {stream.name}") from None
        except OSError:
            pass  # refused while it was sent: the record tells


class Forwarded:
    """A request as Gatehouse's record tells it."""

    def __init__(self, record, stream):
        self.method, self.path = record["http.request.method"], record["url.path"]
        self.status, self.reason = record.get("http.response.status_code"), record["gatehouse.reason"]
        self.query, self.body_size = record.get("url.query", ""), record["http.request.body.size"]
        self.text = stream.bytes.lower()
        self.size, self.lines = len(self.text), self.text.count(b"\n")
        self.upgrades, self.conditional = b"upgrade" in self.text, b"if-" in self.text

    def is_what_was_seen(self, method, target, body):
        told = self.path + ("?" + self.query if self.query else "")
        if cut := re.fullmatch(r"(.*)…\[(\d+) bytes cut\]", told):
            same = target.startswith(cut[1]) and len(target) == len(cut[1]) + int(cut[2])
        else:
            same = target == told or target == told + "?"  # an empty query is told on, but not told
        return same and method == self.method and len(body) == self.body_size

    def __repr__(self):
        return f"<{self.method} {self.path[:100]}?{self.query} {self.body_size} bytes: {self.status} {self.reason}>"


class Differential(EndToEnd):
    bodies = {}  # of all servers together: (stream, number of the request) -> body

    def compare(self, kind):
        every = streams()
        app = self.start(SeeingApp(kind))
        proxy = self.gatehouse({"listeners": [{"address": f"127.0.0.1:{free_port()}", "proxy_protocol": True}],
                                "upstream": app.url, "workers": 2, "log": {"access": {"fields": "full"}}})
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(send, proxy.http, index, stream) for index, stream in enumerate(every)]:
                done.result()
        proxy.finish()  # which writes the last record
        app.stop()
        records, seen = collections.defaultdict(list), collections.defaultdict(list)
        for record in proxy.records():
            records[record["client.address"]].append(record)
        for client, *request in app.seen():
            seen[client].append(request)
        known = {address(index) for index in range(len(every))}
        self.assertEqual([(client, seen[client]) for client in set(seen) - known], [], "requests that nobody sent")
        self.assertGreater(sum(map(len, seen.values())), 200)
        for index, stream in enumerate(every):
            with self.subTest(stream.name):
                self.judge(kind, stream, records[address(index)], seen[address(index)])

    def judge(self, kind, stream, records, seen):
        told = f"sent {stream.bytes!r}\nseen {seen}\nrecords {[Forwarded(record, stream) for record in records]}"
        left = list(seen)
        for number, record in enumerate(records):
            request = Forwarded(record, stream)
            if left and self.was_sent_on(record) and request.is_what_was_seen(*left[0]):
                body = left.pop(0)[2]
                self.assertEqual(body, self.bodies.setdefault((stream.name, number), body), f"another body elsewhere\n{told}")
            elif record["gatehouse.decided_by"] == "origin":
                refused = request.status >= 400 and REFUSED_BY_SERVERS[kind](request)
                self.assertTrue(refused, f"forwarded, but not seen: {request}\n{told}")
        self.assertEqual(left, [], f"seen, but not forwarded\n{told}")
        if stream.expected is not None and len(seen) == len(stream.expected):
            for (_, _, body), expected in zip(seen, stream.expected):
                self.assertIn(expected.body, (None, body), told)

    def was_sent_on(self, record):
        """Answered by the app, or on its way there when its client went away: then the app may have seen it or not."""
        gone = record["gatehouse.reason"] == "client_disconnected" and "upstream.address" in record
        return record["gatehouse.decided_by"] == "origin" or gone

    def test_uvicorn_with_h11_sees_what_was_forwarded_and_nothing_else(self):
        self.compare("uvicorn_h11")

    def test_uvicorn_with_httptools_sees_what_was_forwarded_and_nothing_else(self):
        self.compare("uvicorn_httptools")

    def test_gunicorn_sees_what_was_forwarded_and_nothing_else(self):
        self.compare("gunicorn")

    def test_node_sees_what_was_forwarded_and_nothing_else(self):
        self.compare("node")

    def test_nginx_sees_what_was_forwarded_and_nothing_else(self):
        self.compare("nginx")
