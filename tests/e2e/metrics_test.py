"""What /metrics tells, in both formats, and that its size is bounded whatever clients do."""
import gzip
import socket
import ssl

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from support.apps import Uvicorn
from support.case import EndToEnd
from support.http_client import Connection, fetch, trusting
from support.waiting import wait_until

OPENMETRICS = [("Accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")]
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Formats(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Uvicorn())

    def setUp(self):
        self.proxy = self.gatehouse({"upstream": self.app.url})

    def families(self):
        response = fetch(self.proxy.admin, "/metrics", headers=OPENMETRICS)
        self.assertEqual(response.header("Content-Type"), "application/openmetrics-text; version=1.0.0; charset=utf-8")
        return {family.name: family for family in openmetrics(response.body.decode())}

    def test_a_strict_reader_takes_the_openmetrics_form(self):
        for path in ("/", "/status/404", "/status/500"):
            self.proxy.fetch("GET", path)
        families = self.families()
        self.assertEqual(families["gatehouse_build"].type, "info")
        self.assertEqual(families["gatehouse_connections_accepted"].type, "counter")
        self.assertEqual(families["http_server_request_duration_seconds"].unit, "seconds")

    def test_both_forms_tell_the_same(self):
        self.proxy.fetch("GET", "/")
        # What appears late, with the end of a connection, is awaited: the two scrapes are to see the same.
        wait_until(lambda: self.proxy.metric("gatehouse_connections_closed_total") > 0, "the connection has ended")
        names = {sample.name for family in self.families().values() for sample in family.samples}
        self.assertEqual(names, {key.partition("{")[0] for key in self.proxy.metrics()})

    def exemplars(self):
        return [sample.exemplar.labels["trace_id"] for sample in self.families()["http_server_request_duration_seconds"].samples if sample.exemplar]

    def test_a_sampled_trace_is_shown_beside_its_bucket(self):
        self.proxy.fetch("GET", "/", [("traceparent", f"00-{'1' * 32}-00f067aa0ba902b7-00")])  # nobody keeps this one
        self.proxy.fetch("GET", "/", [("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01")])
        wait_until(lambda: self.exemplars() == [TRACE], "the trace is shown")
        self.assertNotIn(TRACE, fetch(self.proxy.admin, "/metrics").body.decode())  # the text format has no place for it

    def test_it_is_compressed_for_who_asks(self):
        self.proxy.fetch("GET", "/")
        wait_until(lambda: self.proxy.metric("http_server_request_duration_seconds_count") > 0, "it is counted")
        packed = fetch(self.proxy.admin, "/metrics", headers=[("Accept-Encoding", "gzip")])
        self.assertEqual((packed.header("Content-Encoding"), packed.header("Vary")), ("gzip", "accept, accept-encoding"))
        text = gzip.decompress(packed.body).decode()
        self.assertIn("http_server_request_duration_seconds_bucket", text)
        self.assertLess(len(packed.body), len(text) / 4)
        plain = fetch(self.proxy.admin, "/metrics")
        self.assertIsNone(plain.header("Content-Encoding"))


class Contents(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Uvicorn())

    def test_beyond_the_most_requests_are_counted_together_and_the_cap_is_told(self):
        proxy = self.gatehouse({"upstream": self.app.url, "metrics": {"max_series": 10}})
        for code in range(400, 420):
            proxy.fetch("GET", f"/status/{code}")
        wait_until(lambda: proxy.metric("http_server_request_duration_seconds_count") == 20, "all are counted, none is lost")
        self.assertEqual(proxy.metric("gatehouse_metrics_series"), 10)
        self.assertEqual(proxy.metric("gatehouse_metrics_series_limit"), 10)
        beyond = proxy.metric("gatehouse_metrics_overflow_total")
        self.assertGreaterEqual(beyond, 9)  # 419 is counted as 400
        self.assertEqual(proxy.metric("http_server_request_duration_seconds_count", otel_metric_overflow="true"), beyond)

    def test_durations_of_the_app_and_of_gatehouse_are_told_by_route_method_and_status(self):
        proxy = self.gatehouse({"upstream": self.app.url, "routes": [{"match": {"path": "/status/{code}"}}]})
        proxy.fetch("GET", "/status/404")
        wanted = {"http_route": "/status/{code}", "http_request_method": "GET", "http_response_status_code": "404"}
        wait_until(lambda: proxy.metric("gatehouse_overhead_seconds_count") == 1, "the request is counted")
        for name in ("http_server_request_duration_seconds", "gatehouse_upstream_duration_seconds", "gatehouse_overhead_seconds"):
            self.assertEqual(proxy.metric(f"{name}_count", **wanted), 1, name)
        total, upstream, own = (proxy.metric(f"{name}_sum", **wanted) for name in (
            "http_server_request_duration_seconds", "gatehouse_upstream_duration_seconds", "gatehouse_overhead_seconds"))
        self.assertLess(0, own)
        self.assertLessEqual(upstream + own, total + 1e-6)

    def test_sizes_of_bodies_are_told(self):
        proxy = self.gatehouse({"upstream": self.app.url})
        proxy.fetch("POST", "/echo", body=b"x" * 3000)
        wait_until(lambda: proxy.metric("http_server_request_body_size_bytes_sum") == 3000, "the request is counted")
        self.assertEqual(proxy.metric("http_server_request_body_size_bytes_bucket", le="1024.0"), 0)
        self.assertEqual(proxy.metric("http_server_request_body_size_bytes_bucket", le="4096.0"), 1)
        self.assertGreater(proxy.metric("http_server_response_body_size_bytes_sum"), 100)

    def test_connections_are_told_by_state_and_by_the_reason_of_their_end(self):
        proxy = self.gatehouse({"upstream": self.app.url, "timeouts": {"keep_alive": "200ms"}})
        closed = lambda reason: proxy.metric("gatehouse_connections_closed_total", reason=reason)
        with proxy.connect() as rests, proxy.connect() as leaves:
            rests.fetch("GET", "/")
            self.assertTrue(rests.closed())  # after 200 ms
            wait_until(lambda: proxy.metric("gatehouse_connections_open", state="idle") == 1, "the other one, silent so far")
            leaves.fetch("GET", "/")
        wait_until(lambda: (closed("idle_timeout"), closed("client_closed")) == (1, 1), "both ends are counted")
        with proxy.connect() as connection:
            connection.fetch("GET", "/", [("Connection", "close")])
            self.assertTrue(connection.closed())
        wait_until(lambda: closed("response_sent") == 1, "an end after the response")
        with proxy.connect() as connection:
            connection.send("nonsense\r\n\r\n")
            connection.until_closed()
        wait_until(lambda: closed("request_refused") == 1, "a refusal ends a connection")
        self.assertEqual(proxy.metric("gatehouse_connections_open"), 0)

    def test_handshakes_are_told_by_version_and_failures_by_reason(self):
        proxy = self.gatehouse({"upstream": self.app.url}, tls=True)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            fetch(proxy.https, "/", tls=trusting(minimum=version, maximum=version))
        self.assertEqual(proxy.metric("gatehouse_tls_handshakes_total", version="TLSv1.2"), 1)
        self.assertEqual(proxy.metric("gatehouse_tls_handshakes_total", version="TLSv1.3"), 1)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            fetch(proxy.https, "/", tls=trusting(minimum=ssl.TLSVersion.TLSv1, maximum=ssl.TLSVersion.TLSv1_1))
        with Connection(proxy.https) as connection:
            connection.send("GET / HTTP/1.1\r\n\r\n")
            connection.until_closed()
        failures = lambda reason: proxy.metric("gatehouse_tls_handshake_failures_total", reason=reason)
        wait_until(lambda: failures("unsupported protocol") == 1 and failures("http request") == 1, "both failures are counted")

    def test_the_process_is_told_under_the_usual_names(self):
        proxy = self.gatehouse({"upstream": self.app.url})
        # The scrape has a connection of its own, and a health check may have one.
        self.assertAlmostEqual(proxy.metric("process_open_fds"), proxy.open_descriptors(), delta=3)
        self.assertGreater(proxy.metric("process_max_fds"), proxy.metric("process_open_fds"))
        self.assertGreater(proxy.metric("process_resident_memory_bytes"), 1 << 20)
        self.assertGreater(proxy.metric("process_start_time_seconds"), 1.7e9)

    def test_readiness_and_draining_are_told(self):
        proxy = self.gatehouse({"upstream": self.app.url, "shutdown": {"linger": "5s"}})
        self.assertEqual((proxy.metric("gatehouse_ready"), proxy.metric("gatehouse_draining")), (1, 0))
        proxy.send_signal(15)
        wait_until(lambda: (proxy.metric("gatehouse_ready"), proxy.metric("gatehouse_draining")) == (0, 1), "it drains")
        proxy.send_signal(15)
        proxy.wait()
        proxy._ended = True
