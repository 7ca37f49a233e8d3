"""Sends and counts gigabytes with plain sockets, one thread a connection, and tells how far each transfer has come.

GET /down?bytes=N&framing=length|chunked|close    N bytes
POST /up                                          reads and counts a body; answers {"bytes": N, "framing": ...}
POST /up?pause=1                                  the same, but reads nothing until /go was asked for
GET /progress                                     {"sent": bytes handed to the kernel, "received": bytes counted}
GET /go                                           lets paused uploads go on
usage: bulk.py PORT"""
import json
import socketserver
import sys
import threading
from urllib.parse import parse_qs, urlsplit

BLOCK = bytes(range(256)) * 1024  # 256 KiB
progress = {"sent": 0, "received": 0}
go = threading.Event()


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            method, target, _ = line.decode("latin-1").split(" ")
            headers = {}
            while field := self.rfile.readline().strip():
                name, _, value = field.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            url = urlsplit(target)
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            if url.path == "/down":
                self.down(int(query["bytes"]), query.get("framing", "length"))
                if query.get("framing") == "close":
                    return
            elif url.path == "/up":
                self.up(headers, "pause" in query)
            else:
                if url.path == "/go":
                    go.set()
                self.answer(progress)

    def answer(self, value):
        body = json.dumps(value).encode()
        self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                             % (len(body), body))

    def down(self, size, framing):
        field = {"length": b"Content-Length: %d\r\n" % size, "chunked": b"Transfer-Encoding: chunked\r\n",
                 "close": b"Connection: close\r\n"}[framing]
        self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n%s\r\n" % field)
        progress["sent"] = 0
        while progress["sent"] < size:
            block = BLOCK[:size - progress["sent"]]
            if framing == "chunked":
                self.request.sendall(b"%x\r\n%s\r\n" % (len(block), block))
            else:
                self.request.sendall(block)
            progress["sent"] += len(block)
        if framing == "chunked":
            self.request.sendall(b"0\r\n\r\n")

    def up(self, headers, paused):
        if paused:
            go.wait()
        progress["received"] = 0
        if headers.get("transfer-encoding") == "chunked":
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                self.count(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            framing = "chunked"
        else:
            self.count(int(headers.get("content-length", 0)))
            framing = "length"
        self.answer({"bytes": progress["received"], "framing": framing})

    def count(self, size):
        while size:
            data = self.rfile.read(min(size, 1 << 18))
            if not data:
                raise ConnectionError("the body ended early")
            size -= len(data)
            progress["received"] += len(data)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a client that leaves is part of the tests


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
