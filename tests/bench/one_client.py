"""One client and one app in one thread, with the program under measurement between them: the same steps in the same order, every time."""
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../e2e"))
from support.ports import free_port  # noqa: E402
from support.process import die_with_the_test  # noqa: E402

BODY = b'{"id":1,"name":"item","price":9.99,"tags":["a","b","c"],"description":"the quick brown fox jumps over"}'
RESPONSE = (b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 07:00:00 GMT\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n" % len(BODY)) + BODY
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CONFIG = os.path.join(HERE, "bench.yaml")
# glibc chooses its string functions by what the processor can do: the oldest are there on every machine.
PLAIN_STRINGS = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM,-BMI2"}


class OneClient:
    """Starts `gatehouse run` with bench.yaml under `tool` (words put in front of the command) and keeps one connection to it. With `still`
    neither time nor chance has a say: no timer of its event loop fires, and nothing is sent to it before it rests."""

    def __init__(self, binary, tool=(), tls=False, still=False, patience=120):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-bench-")
        certificate, key = os.path.join(self.folder, "cert.pem"), os.path.join(self.folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        self._app = socket.create_server(("127.0.0.1", 0))
        self._peers = {}  # the app's connections: what has come of a request on each
        http, https = free_port(), free_port()
        environment = {"BENCH_HTTP_PORT": http, "BENCH_HTTPS_PORT": https, "BENCH_UPSTREAM": f"127.0.0.1:{self._app.getsockname()[1]}",
                       "BENCH_CERT": certificate, "BENCH_KEY": key, "BENCH_ACCESS_LOG": os.path.join(self.folder, "access.log")}
        self._still = still
        if still:
            environment["LD_PRELOAD"] = os.path.join(self.folder, "still_timers.so")
            subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", environment["LD_PRELOAD"], os.path.join(HERE, "still_timers.c")], check=True)
        self._deadline = time.monotonic() + patience
        with open(os.path.join(self.folder, "out"), "w") as out:
            self.process = subprocess.Popen([*(word.format(folder=self.folder) for word in tool), binary, "run", "--config", CONFIG],
                                            env={**os.environ, **PLAIN_STRINGS, **{k: str(v) for k, v in environment.items()}},
                                            stdout=out, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=die_with_the_test)
        try:
            self._client = self._connect(https if tls else http)
            if tls:
                self._client = self._speak_tls(self._client)
        except BaseException:
            self.end()
            raise

    def _connect(self, port):
        while True:
            if self.process.poll() is not None:
                with open(os.path.join(self.folder, "out")) as out:
                    raise AssertionError(f"ended with {self.process.returncode} before it listened:\n{out.read()[-3000:]}")
            try:
                return socket.create_connection(("127.0.0.1", port), 1)
            except OSError:
                assert time.monotonic() < self._deadline, "does not listen"
                time.sleep(0.05)

    @staticmethod
    def _speak_tls(plain):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain.settimeout(60)
        shaken = context.wrap_socket(plain)
        shaken.setblocking(False)  # what is readable may be a session ticket and no answer
        return shaken

    def requests(self, count):
        for _ in range(count):
            self._wait_for_rest()
            self._client.sendall(REQUEST)
            self._answer()

    def _answer(self):
        """Plays the app until the client has its response."""
        got = b""
        while not got.endswith(BODY):
            ready, _, _ = select.select([self._client, self._app, *self._peers], [], [], 30)
            assert ready, f"nothing happens; the client has {got!r}"
            for one in ready:
                if one is self._client:
                    try:
                        piece = one.recv(65536)
                    except ssl.SSLWantReadError:
                        continue
                    assert piece, f"the client's connection ended after {got!r}"
                    got += piece
                elif one is self._app:
                    self._peers[one.accept()[0]] = b""
                else:
                    self._serve(one)
        assert got.startswith(b"HTTP/1.1 200 "), got

    def _serve(self, peer):
        piece = peer.recv(65536)
        self._peers[peer] += piece
        if not piece:
            del self._peers[peer]
            peer.close()
        elif self._peers[peer].endswith(b"\r\n\r\n"):
            self._peers[peer] = b""
            self._wait_for_rest()
            peer.sendall(RESPONSE)

    def _wait_for_rest(self):
        while self._still and not all(self._sleeps(thread) for thread in os.listdir(f"/proc/{self.process.pid}/task")):
            time.sleep(0.0001)

    def _sleeps(self, thread):
        with open(f"/proc/{self.process.pid}/task/{thread}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "S"

    def end(self):
        """The tool and Gatehouse under it, at once: what was to be known is written down."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        shutil.rmtree(self.folder)
