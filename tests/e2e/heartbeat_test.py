"""An external monitor, a real HTTP server, is called while /readyz holds, and told when it does not."""
import http.server
import ssl
import tempfile
import threading

from support.apps import ScriptedUpstream, Uvicorn
from support.case import EndToEnd
from support.certificates import Authority
from support.http_client import fetch
from support.ports import free_port
from support.waiting import wait_until

SECRET = "5f0c9a3e-hunter2"


class Monitor:
    """Keeps the paths that were asked for; answers with `status`."""

    def __init__(self, certificate=None, port=None):
        self.calls, self.status = [], 200
        monitor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                monitor.calls.append((self.path, self.headers["Host"]))
                self.send_response(monitor.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"OK")

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port or free_port()), Handler)
        self.port = self._server.server_port
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def paths(self):
        return [path for path, _ in self.calls]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


class Heartbeats(EndToEnd):
    def serve(self, app, **heartbeat):
        return self.gatehouse({"upstream": {"url": app.url, "health": {"path": "/", "interval": "100ms", "timeout": "1s", "fall": 1}},
                               "heartbeat": {"interval": "200ms", "timeout": "5s", **heartbeat}}, env=self.env)

    env = None

    def lines(self, proxy, words):
        return [line for line in proxy.stdout + proxy.stderr if words in line]

    def test_the_monitor_is_called_again_and_again_while_all_is_well(self):
        monitor = self.start(Monitor())
        proxy = self.serve(self.start(Uvicorn()), url=f"http://127.0.0.1:{monitor.port}/ping/{SECRET}?a=b")
        wait_until(lambda: len(monitor.calls) >= 3, "three calls")
        self.assertEqual(set(monitor.calls), {(f"/ping/{SECRET}?a=b", f"127.0.0.1:{monitor.port}")})
        self.assertGreaterEqual(proxy.metric("gatehouse_heartbeats_total", result="delivered"), 2)

    def test_it_is_told_when_the_app_fails_and_when_it_is_back(self):
        monitor = self.start(Monitor())
        well = [True]

        def play(connection):
            while True:
                connection.read_request()
                connection.reply(b"", status="200 OK" if well[0] else "500 No")
        app = self.start(ScriptedUpstream(play))
        place = f"http://127.0.0.1:{monitor.port}/{SECRET}"
        proxy = self.serve(app, url=place, fail_url=place + "/fail", interval="1h")
        wait_until(lambda: monitor.paths() == [f"/{SECRET}"], "one call at the start")
        well[0] = False
        wait_until(lambda: monitor.paths()[-1] == f"/{SECRET}/fail", "the failure is told long before the interval is over")
        self.assertEqual(fetch(proxy.admin, "/readyz").status, 503)
        well[0] = True
        wait_until(lambda: monitor.paths() == [f"/{SECRET}", f"/{SECRET}/fail", f"/{SECRET}"], "so is the recovery")

    def test_without_a_url_for_failures_it_stays_silent(self):
        monitor = self.start(Monitor())
        well = [True]

        def play(connection):
            while True:
                connection.read_request()
                connection.reply(b"", status="200 OK" if well[0] else "500 No")
        proxy = self.serve(self.start(ScriptedUpstream(play)), url=f"http://127.0.0.1:{monitor.port}/{SECRET}")
        wait_until(lambda: monitor.calls, "it is called")
        well[0] = False
        wait_until(lambda: fetch(proxy.admin, "/readyz").status == 503, "not ready")
        checks = proxy.metric("gatehouse_health_check_up", kind="http")
        self.assertEqual(checks, 0)
        # One call may have been under way; then there are none while many probes fail.
        before, failed = len(monitor.calls), len(proxy.metrics())
        probes = lambda: fetch(proxy.admin, "/health").json()["checks"]["upstream"][0]["time"]
        seen = set()
        wait_until(lambda: seen.add(probes()) or len(seen) > 8, "eight more probes")
        self.assertTrue(failed and len(monitor.calls) - before <= 1, monitor.calls)

    def test_trouble_is_logged_once_per_change_and_never_with_the_url(self):
        monitor = self.start(Monitor())
        monitor.status = 404
        proxy = self.serve(self.start(Uvicorn()), url=f"http://127.0.0.1:{monitor.port}/{SECRET}")
        wait_until(lambda: len(monitor.calls) >= 4, "four calls")
        monitor.status = 200
        wait_until(lambda: self.lines(proxy, "takes heartbeats"), "the recovery is logged")
        wait_until(lambda: proxy.metric("gatehouse_heartbeats_total", result="delivered") >= 2, "calls go on")
        self.assertEqual((len(self.lines(proxy, "answered 404")), len(self.lines(proxy, "takes heartbeats"))), (1, 1))
        self.assertGreaterEqual(proxy.metric("gatehouse_heartbeats_total", result="failed"), 3)
        proxy.finish()
        self.assertNotIn(SECRET, "\n".join(proxy.stdout + proxy.stderr))

    def test_traffic_and_liveness_do_not_depend_on_the_monitor(self):
        proxy = self.serve(self.start(Uvicorn()), url=f"http://127.0.0.1:{free_port()}/{SECRET}")
        wait_until(lambda: self.lines(proxy, "does not accept connections"), "the failure is logged")
        self.assertEqual(proxy.fetch("GET", "/").status, 200)
        self.assertEqual([fetch(proxy.admin, path).status for path in ("/livez", "/readyz")], [200, 200])


class OverTls(Heartbeats):
    """HTTPS: the certificate is verified against the authorities and the name."""

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.authority = Authority(folder)
        self.env = {"SSL_CERT_FILE": self.authority.certificate}

    def test_a_monitor_with_a_good_certificate_is_called(self):
        monitor = self.start(Monitor(self.authority.issue("localhost")))
        self.serve(self.start(Uvicorn()), url=f"https://localhost:{monitor.port}/{SECRET}")
        wait_until(lambda: monitor.paths()[:1] == [f"/{SECRET}"], "it is called")

    def test_one_with_another_name_or_an_unknown_authority_hears_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            for certificate in (self.authority.issue("elsewhere.example"), Authority(folder).issue("localhost")):
                monitor = self.start(Monitor(certificate))
                proxy = self.serve(self.start(Uvicorn()), url=f"https://localhost:{monitor.port}/{SECRET}")
                wait_until(lambda: self.lines(proxy, "check its certificate and name"), "the failure is logged")
                self.assertEqual(monitor.calls, [])


class Configuration(EndToEnd):
    def test_mistakes_in_a_url_are_told_without_it(self):
        from support.gatehouse import run_to_end
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(f"upstream: http://127.0.0.1:1\nheartbeat: ftp://monitor.example/{SECRET}\n")
            file.flush()
            code, _, told = run_to_end("validate", file.name)
        self.assertEqual(code, 2)
        self.assertIn("must begin with http:// or https://", told)
        self.assertNotIn(SECRET, told)
