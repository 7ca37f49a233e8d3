"""An HTTP/1.1 client that sends exactly the bytes it is given and reads exactly one message at a time."""
import socket
import ssl

TIMEOUT = 30.0


class Response:
    def __init__(self, status, reason, headers, body=b"", trailers=(), interim=()):
        self.status, self.reason, self.headers = status, reason, headers
        self.body, self.trailers, self.interim = body, list(trailers), list(interim)

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None

    def json(self):
        import json
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.headers} {self.body[:300]!r}>"


class Closed(ConnectionError):
    """The peer closed where more was expected."""


def trusting(ca=None, minimum=None, maximum=None):
    """A TLS client context: verifies against the file `ca`, or not at all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca:
        context.load_verify_locations(ca)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
        if maximum < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ALL:@SECLEVEL=0")  # so that it is the peer who refuses the old version
    return context


class Connection:
    """One connection. `address`: (host, port), or the path of a Unix socket. `tls`: an ssl.SSLContext. `source`: an own address."""

    def __init__(self, address, tls=None, server_name=None, timeout=TIMEOUT, source=None):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout, (source, 0) if source else None)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_name or "localhost")
        self._buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, *parts):
        self.socket.sendall(b"".join(part.encode("latin-1") if isinstance(part, str) else part for part in parts))

    def request(self, method, target, headers=(), body=None):
        """Sends a request with a Host field and, for a body, a Content-Length; nothing else is added."""
        lines = [f"{method} {target} HTTP/1.1"]
        if not any(name.lower() == "host" for name, _ in headers):
            lines.append("Host: app.example")
        lines += [f"{name}: {value}" for name, value in headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines), "\r\n\r\n", body or b"")

    def fetch(self, method, target, headers=(), body=None):
        self.request(method, target, headers, body)
        return self.response(method)

    # Reading

    def receive(self, size=65536):
        """Whatever is there next; b"" at the end."""
        if self._buffer:
            data = bytes(self._buffer[:size])
            del self._buffer[:size]
            return data
        return self.socket.recv(size)

    def _fill(self, what):
        data = self.socket.recv(262144)
        if not data:
            raise Closed(f"closed while {what} was expected; had {bytes(self._buffer[:200])!r}")
        self._buffer += data

    def line(self):
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._fill("a line")
        line = bytes(self._buffer[:end])
        del self._buffer[:end + 2]
        return line.decode("latin-1")

    def exactly(self, size):
        while len(self._buffer) < size:
            self._fill(f"{size} bytes")
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def until_closed(self):
        data = bytes(self._buffer)
        self._buffer.clear()
        while more := self.socket.recv(262144):
            data += more
        return data

    def count_until_closed(self):
        """How many bytes come, without keeping them."""
        count, scratch = len(self._buffer), bytearray(1 << 20)
        self._buffer.clear()
        while size := self.socket.recv_into(scratch):
            count += size
        return count

    def closed(self):
        """Waits for the end; true when it comes before any byte."""
        try:
            return not self._buffer and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _fields(self):
        fields = []
        while line := self.line():
            name, _, value = line.partition(":")
            fields.append((name, value.strip()))
        return fields

    def head(self):
        """The next response head, interim or final, as a Response without body."""
        version, status, reason = (self.line().split(" ", 2) + [""])[:3]
        assert version in ("HTTP/1.1", "HTTP/1.0"), version
        return Response(int(status), reason, self._fields())

    def chunk(self):
        """The next chunk of a chunked body, b"" for the last one (its trailers are then to be read)."""
        size = int(self.line().partition(";")[0], 16)
        if size == 0:
            return b""
        data = self.exactly(size)
        assert self.exactly(2) == b"\r\n"
        return data

    def response(self, method="GET"):
        """The next final response, whole; interim responses before it are in its `interim`."""
        interim = []
        while (response := self.head()).status < 200 and response.status != 101:
            interim.append(response)
        response.interim = interim
        if method == "HEAD" or response.status in (101, 204, 304) or (method == "CONNECT" and response.status == 200):
            return response
        if "chunked" in (response.header("Transfer-Encoding") or "").lower():
            parts = []
            while part := self.chunk():
                parts.append(part)
            response.body, response.trailers = b"".join(parts), self._fields()
        elif (length := response.header("Content-Length")) is not None:
            response.body = self.exactly(int(length))
        else:
            response.body = self.until_closed()
        return response


def fetch(address, target, method="GET", headers=(), body=None, tls=None, server_name=None):
    """One request on a connection of its own."""
    with Connection(address, tls, server_name) as connection:
        return connection.fetch(method, target, headers, body)
