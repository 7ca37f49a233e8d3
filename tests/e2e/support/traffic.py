"""Constant load while something else happens: clients that keep their connection and clients that open one for each request, plain
and over TLS, beside a WebSocket, a download and an event stream that span the event. Nothing of it may fail."""
import asyncio
import itertools
import threading

import websockets

from .http_client import Connection, trusting
from .waiting import wait_until


class Traffic:
    """`gatehouse` stands in front of the app of apps/api.py. With `may_close`, a kept connection may be closed between two requests, as
    a process does that is about to end; never in the middle of one."""

    def __init__(self, gatehouse, may_close=False, streams=True):
        self.gatehouse, self.may_close = gatehouse, may_close
        self.served, self.failures = 0, []
        self._over = threading.Event()
        self._lock = threading.Lock()
        addresses = [(gatehouse.http, None)] + ([(gatehouse.https, trusting())] if gatehouse.https else [])
        self._threads = []
        for address, tls in addresses:
            self._threads += [threading.Thread(target=self._run, args=(client, address, tls)) for client in (self._kept, self._fresh)]
        if streams:
            self._threads += [threading.Thread(target=self._run, args=(client, gatehouse.http, None))
                              for client in (self._websocket, self._download, self._events)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.wait_for(20)
        return self

    def __exit__(self, kind, error, trace):
        self._over.set()
        for thread in self._threads:
            thread.join()
        if kind is None:
            self.judge()

    def judge(self):
        assert not self.failures, f"{len(self.failures)} failures, {self.served} served: {self.failures[:5]}"

    def wait_for(self, more):
        """Until that many more requests have been served."""
        goal = self.served + more
        wait_until(lambda: self.served >= goal or self.failures, f"{more} more requests; {self.served} so far")

    # Clients

    def _run(self, client, address, tls):
        try:
            client(address, tls)
        except Exception as error:  # whatever it is, the test has to see it
            with self._lock:
                self.failures.append(f"{client.__name__}: {error!r}")

    def _count(self, response):
        with self._lock:
            self.served += 1
            if response.status != 200:
                self.failures.append(f"{response}")

    def _kept(self, address, tls):
        connection = Connection(address, tls=tls)
        fresh = True
        while not self._over.is_set():
            try:
                connection.request("GET", "/echo/kept")
                response = connection.response("GET")
            except ConnectionError:
                # Between two requests: whoever keeps a connection asks again on a new one (RFC 9112 9.3.1).
                if fresh or not self.may_close:
                    raise
                connection, fresh = Connection(address, tls=tls), True
                continue
            self._count(response)
            fresh = False
            if response.header("Connection") == "close":
                if not self.may_close:
                    raise AssertionError("the connection was to be closed")
                connection.close()
                connection, fresh = Connection(address, tls=tls), True
        connection.close()

    def _fresh(self, address, tls):
        while not self._over.is_set():
            with Connection(address, tls=tls) as connection:
                self._count(connection.fetch("GET", "/echo/fresh"))

    def _websocket(self, address, _):
        async def talk():
            async with websockets.connect("ws://%s:%d/ws" % address) as socket:
                for number in itertools.count():
                    if self._over.is_set():
                        return
                    await socket.send(str(number))
                    answer = await asyncio.wait_for(socket.recv(), 30)
                    if answer != str(number):
                        raise AssertionError(f"the WebSocket said {answer} for {number}")
                    await asyncio.sleep(0.01)  # a pace, not a wait
        asyncio.run(talk())

    def _download(self, address, _):
        """Slow enough to last, and again when it is complete."""
        while not self._over.is_set():
            with Connection(address) as connection:
                connection.request("GET", "/stream?parts=300&size=10000")
                if connection.head().status != 200:
                    raise AssertionError("no download")
                size = 0
                while piece := connection.chunk():
                    for at in (0, len(piece) - 1):
                        if piece[at:at + 1] != b"%d" % ((size + at) // 10000 % 10):
                            raise AssertionError(f"a wrong byte at {size + at}")
                    size += len(piece)
                    self._over.wait(0.005)
                if size != 3_000_000:
                    raise AssertionError(f"the download ended after {size} bytes")

    def _events(self, address, _):
        with Connection(address) as connection:
            connection.request("GET", "/events?interval=0.02")
            if connection.head().status != 200:
                raise AssertionError("no events")
            for number in itertools.count():
                if self._over.is_set():
                    return
                event = connection.chunk()
                if not event.startswith(b"id: %d\n" % number):
                    raise AssertionError(f"{event} where event {number} was to come")
