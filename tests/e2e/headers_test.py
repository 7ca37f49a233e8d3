"""What Gatehouse adds to, and removes from, the heads that pass it."""
import re

from support.apps import ScriptedUpstream, Uvicorn
from support.case import EndToEnd
from support.gatehouse import Gatehouse
from support.http_client import fetch, trusting


class Request(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Uvicorn())
        cls.proxy = cls.start_shared(Gatehouse({"upstream": cls.app.url}, tls=True))

    def seen(self, headers=(), tls=False):
        """The fields the app saw, by lower-case name."""
        address, context = (self.proxy.https, trusting()) if tls else (self.proxy.http, None)
        fields = {}
        for name, value in fetch(address, "/echo", headers=headers, tls=context).json()["headers"]:
            fields.setdefault(name.lower(), []).append(value)
        return fields

    def test_the_app_is_told_the_client_and_how_it_came(self):
        fields = self.seen([("Host", "shop.example:8443")])
        self.assertEqual(fields["x-forwarded-for"], ["127.0.0.1"])
        self.assertEqual(fields["x-forwarded-proto"], ["http"])
        self.assertEqual(fields["x-forwarded-host"], ["shop.example:8443"])
        self.assertEqual(fields["host"], ["shop.example:8443"])

    def test_the_app_is_told_that_the_client_came_over_https(self):
        self.assertEqual(self.seen(tls=True)["x-forwarded-proto"], ["https"])

    def test_the_forwarded_field_says_the_same(self):
        forwarded = self.seen([("Host", "shop.example")])["forwarded"]
        self.assertEqual(len(forwarded), 1)
        self.assertEqual(set(forwarded[0].replace('"', "").split(";")), {"for=127.0.0.1", "proto=http", "host=shop.example"})

    def test_a_client_cannot_pretend_to_be_somebody_else(self):
        fields = self.seen([("X-Forwarded-For", "1.2.3.4"), ("X-Forwarded-For", "5.6.7.8"), ("X-Forwarded-Proto", "https"),
                            ("X-Forwarded-Host", "evil.example"), ("Forwarded", "for=1.2.3.4;proto=https"),
                            ("X-Real-IP", "1.2.3.4")])
        self.assertEqual(fields["x-forwarded-for"], ["127.0.0.1"])
        self.assertEqual(fields["x-forwarded-proto"], ["http"])
        self.assertEqual(fields["x-forwarded-host"], ["app.example"])
        self.assertNotIn("1.2.3.4", str(fields))

    def test_a_request_id_is_made_where_there_is_none(self):
        first, second = (self.seen()["x-request-id"] for _ in range(2))
        self.assertEqual(len(first), 1)
        self.assertRegex(first[0], r"^[0-9a-zA-Z-]{16,64}$")
        self.assertNotEqual(first, second)

    def test_a_good_request_id_is_kept_and_told_to_app_client_and_log(self):
        response = fetch(self.proxy.http, "/echo", headers=[("X-Request-Id", "order-4711.retry_2")])
        self.assertEqual(response.header("X-Request-Id"), "order-4711.retry_2")
        self.assertIn(["x-request-id", "order-4711.retry_2"], response.json()["headers"])
        self.assertEqual(self.proxy.record(request_id="order-4711.retry_2")["http.response.status_code"], 200)

    def test_a_malformed_request_id_is_replaced(self):
        for bad in ("", "a b", "x" * 300, 'quote"', "<script>", "a, b"):
            response = fetch(self.proxy.http, "/echo", headers=[("X-Request-Id", bad)])
            self.assertNotEqual(response.header("X-Request-Id"), bad)
            self.assertRegex(response.header("X-Request-Id"), r"^[0-9a-zA-Z-]{16,64}$")

    def test_the_trace_context_is_passed_on(self):
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        fields = self.seen([("traceparent", trace), ("tracestate", "a=1,b=2")])
        self.assertRegex(fields["traceparent"][0], r"^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$")
        self.assertEqual(fields["tracestate"], ["a=1,b=2"])

    def test_fields_of_the_connection_stay_on_the_connection(self):
        fields = self.seen([("Connection", "keep-alive, X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"),
                            ("Proxy-Connection", "keep-alive"), ("Proxy-Authorization", "Basic eDp5"), ("TE", "gzip"),
                            ("X-End", "stays")])
        for name in ("x-hop", "keep-alive", "proxy-connection", "proxy-authorization"):
            self.assertNotIn(name, fields)
        self.assertNotIn("gzip", str(fields.get("te", "")))
        self.assertEqual(fields["x-end"], ["stays"])

    def test_connection_cannot_be_used_to_strip_what_the_app_relies_on(self):
        fields = self.seen([("Connection", "close, X-Forwarded-For, X-Request-Id, Host")])
        self.assertEqual(fields["x-forwarded-for"], ["127.0.0.1"])
        self.assertEqual(fields["host"], ["app.example"])
        self.assertIn("x-request-id", fields)

    def test_names_that_apps_may_confuse_with_others_are_dropped(self):
        fields = self.seen([("X_Forwarded_For", "1.2.3.4"), ("X.Forwarded.For", "1.2.3.4"), ("X-Fine", "1")])
        self.assertEqual([name for name in fields if "_" in name or "." in name], [])
        self.assertEqual(fields["x-fine"], ["1"])

    def test_fields_of_the_client_keep_their_order_and_their_repetitions(self):
        fields = self.seen([("Accept", "a/a"), ("X-Twice", "1"), ("X-Twice", "2"), ("Cookie", "a=1; b=2")])
        self.assertEqual(fields["x-twice"], ["1", "2"])
        self.assertEqual(fields["cookie"], ["a=1; b=2"])


class TrustedProxies(EndToEnd):
    def test_a_trusted_proxy_speaks_for_its_client(self):
        app = self.start(Uvicorn())
        gatehouse = self.gatehouse({"upstream": app.url, "trusted_proxies": ["127.0.0.0/8"], "log": {"access": {"fields": "full"}}})
        seen = dict(gatehouse.fetch("GET", "/echo", [("X-Forwarded-For", "9.9.9.9, 203.0.113.7, 127.0.0.5"),
                                                     ("X-Forwarded-Proto", "https")]).json()["headers"])
        self.assertEqual(seen["x-forwarded-proto"], "https")
        self.assertTrue(seen["x-forwarded-for"].endswith("127.0.0.1"), seen)
        record = gatehouse.record(url_path="/echo")
        self.assertEqual((record["client.address"], record["network.peer.address"]), ("203.0.113.7", "127.0.0.1"))

    def test_names_with_underscores_pass_where_they_are_allowed(self):
        app = self.start(Uvicorn())
        gatehouse = self.gatehouse({"upstream": app.url, "header_names": {"allow": ["api_key_id"]}})
        seen = dict(gatehouse.fetch("GET", "/echo", [("api_key_id", "1"), ("other_name", "2")]).json()["headers"])
        self.assertEqual(seen.get("api_key_id"), "1")
        self.assertNotIn("other_name", seen)


class Response(EndToEnd):
    def test_fields_of_the_apps_connection_stay_on_the_apps_connection(self):
        def play(connection):
            while True:
                connection.read_request()
                connection.reply(b"hi", headers=[("Connection", "X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"),
                                                 ("Proxy-Authenticate", "Basic"), ("X-End", "stays")])
        gatehouse = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url})
        response = gatehouse.fetch("GET", "/")
        self.assertEqual((response.header("X-End"), response.body), ("stays", b"hi"))
        for name in ("X-Hop", "Keep-Alive", "Proxy-Authenticate"):
            self.assertIsNone(response.header(name))

    def test_the_response_carries_the_request_id(self):
        app = self.start(Uvicorn())
        response = self.gatehouse({"upstream": app.url}).fetch("GET", "/")
        self.assertEqual(len(response.all("X-Request-Id")), 1)
        self.assertTrue(re.fullmatch(r"[0-9a-zA-Z-]{16,64}", response.header("X-Request-Id")))
