"""The apps that Gatehouse stands in front of, each started on a free port. Every class has `url` and `address`."""
import os
import socket
import threading

from .http_client import Closed, Connection, fetch
from .ports import free_port
from .process import Process

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "apps")
PYTHON = "/usr/bin/python3"


class App(Process):
    def __init__(self, command, address, env=None):
        super().__init__(command, env=env, cwd=FOLDER)
        self.address = address
        self.url = address_url(address)
        self.wait_until_it_listens(address)

    def fetch(self, method, target, headers=(), body=None):
        """Asks the app itself, past Gatehouse."""
        return fetch(self.address, target, method, headers, body)


def address_url(address):
    if isinstance(address, str):
        return f"unix:{address}"
    host, port = address
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Uvicorn(App):
    """apps/api.py, a FastAPI app. `http`: uvicorn's implementation, h11 or httptools."""

    def __init__(self, http="h11", host="127.0.0.1", port=None, uds=None, keep_alive=5, app="api:app", env=None):
        address = uds or (host, port or free_port())
        where = ["--uds", uds] if uds else ["--host", host, "--port", address[1]]
        super().__init__([PYTHON, "-m", "uvicorn", app, "--http", http, "--timeout-keep-alive", keep_alive,
                          "--no-access-log", "--log-level", "warning", *where], address, env)


class Release(Uvicorn):
    """apps/release.py: the same app, which says in x-release which one it is. One in `fails` requests fails, all answers take `delay` seconds."""

    def __init__(self, name, fails=0, delay=0, **options):
        super().__init__(app="release:app", env={"RELEASE_NAME": name, "RELEASE_FAILS": str(fails), "RELEASE_DELAY": str(delay)}, **options)


class Gunicorn(App):
    """The same app under gunicorn's process manager with uvicorn workers."""

    def __init__(self):
        port = free_port()
        super().__init__([PYTHON, "-m", "gunicorn", "api:app", "-k", "uvicorn.workers.UvicornWorker", "-w", "1",
                          "-b", f"127.0.0.1:{port}", "--log-level", "warning"], ("127.0.0.1", port))


class Node(App):
    """apps/node_app.js, Node's own http server."""

    def __init__(self, keep_alive_ms=5000, port=None):
        port = port or free_port()
        super().__init__(["nodejs" if os.path.exists("/usr/bin/nodejs") else "node", "node_app.js", port, keep_alive_ms],
                         ("127.0.0.1", port))


class WebSocketEcho(App):
    """apps/websocket_echo.py, a server made with python3-websockets."""

    def __init__(self):
        port = free_port()
        super().__init__([PYTHON, "websocket_echo.py", port], ("127.0.0.1", port))


class Bulk(App):
    """apps/bulk.py: sends and counts gigabytes, and tells how far it has come."""

    def __init__(self):
        port = free_port()
        super().__init__([PYTHON, "bulk.py", port], ("127.0.0.1", port))


class ScriptedUpstream:
    """An upstream that does, byte by byte, what the test says. `play(connection)` is called in a thread of its own for
    each connection; what it raises, other than the peer's leaving, is raised again at the end of the `with` block."""

    def __init__(self, play, host="127.0.0.1", backlog=128):
        self._play = play
        self.connections = 0
        self.requests = []  # in the order they came, as ScriptedConnection read them
        self._errors = []
        self._open = set()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family)
        self._socket.bind((host, 0))
        self._socket.listen(backlog)
        self.address = self._socket.getsockname()[:2]
        self.url = address_url(self.address)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        try:
            with ScriptedConnection(peer, self.requests) as connection:
                self._play(connection)
        except (Closed, ConnectionError):
            pass
        except OSError as error:
            if self._socket.fileno() >= 0:  # not because the test is over
                self._errors.append(error)
        except Exception as error:
            self._errors.append(error)
        finally:
            self._open.discard(peer)

    def used_connections(self):
        """How many connections carried a request; Gatehouse may open others to see whether the app is there."""
        return len({id(request.connection) for request in self.requests})

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self._socket.close()
        for peer in list(self._open):
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if self._errors and kind is None:
            raise self._errors[0]


class ScriptedConnection(Connection):
    """The upstream's side of one connection."""

    def __init__(self, peer, log):
        self.socket = peer
        self.socket.settimeout(60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._log = log

    def read_head(self):
        """Reads a request head: method, target and headers."""
        request = Request(self, *self.line().split(" ")[:2], self._fields())
        self._log.append(request)
        return request

    def read_request(self):
        """Reads a request with its body."""
        request = self.read_head()
        if "chunked" in (request.header("Transfer-Encoding") or ""):
            while part := self.chunk():
                request.body += part
            request.trailers = self._fields()
        else:
            request.body = self.exactly(int(request.header("Content-Length") or 0))
        return request

    def reply(self, body=b"", status="200 OK", headers=()):
        self.send(f"HTTP/1.1 {status}\r\n", *(f"{name}: {value}\r\n" for name, value in headers),
                  f"Content-Length: {len(body)}\r\n\r\n", body)

    def reset(self):
        """Closes with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()


class Request:
    def __init__(self, connection, method, target, headers):
        self.connection = connection
        self.method, self.target, self.headers = method, target, headers
        self.body, self.trailers = b"", []

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None
