"""Rate limits, CORS and security headers as clients meet them, on the app's answers and on Gatehouse's own."""
from support.apps import Uvicorn
from support.case import EndToEnd
from support.gatehouse import Gatehouse
from support.ports import free_port
from support.waiting import wait_until


class RateLimits(EndToEnd):
    LIMIT = [{"name": "per-client", "key": "client_address", "quota": 5, "window": "1h"}]

    def test_the_quota_is_granted_exactly_and_then_refused_with_429_and_retry_after(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "rate_limits": self.LIMIT})
        responses = [proxy.fetch("GET", "/") for _ in range(8)]
        self.assertEqual([response.status for response in responses], [200] * 5 + [429] * 3)
        self.assert_problem(responses[-1], 429)
        self.assertGreaterEqual(int(responses[-1].header("Retry-After")), 1)
        self.assertLessEqual(int(responses[-1].header("Retry-After")), 720)
        self.assertIn('"per-client"', responses[0].header("RateLimit-Policy"))
        self.assertIn("r=4", responses[0].header("RateLimit"))
        wait_until(lambda: len(proxy.records(http_response_status_code=429)) == 3, "the refusals are recorded")
        record = proxy.records(http_response_status_code=429)[0]
        self.assertEqual((record["gatehouse.response_flags"], record["gatehouse.decided_by"]), ("RL", "sidecar"))

    def test_pretended_addresses_do_not_help(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "rate_limits": self.LIMIT})
        statuses = [proxy.fetch("GET", "/", [("X-Forwarded-For", f"10.0.0.{number}"), ("Forwarded", f"for=10.1.0.{number}")]).status
                    for number in range(8)]
        self.assertEqual(statuses, [200] * 5 + [429] * 3)

    def test_a_route_may_have_a_stricter_limit_of_its_own(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "routes": [
            {"match": {"path": "/login", "methods": ["POST"]},
             "rate_limits": [{"name": "login", "key": "client_address", "quota": 2, "window": "1h"}]}]})
        self.assertEqual([proxy.fetch("POST", "/login", body=b"{}").status for _ in range(4)], [200, 200, 429, 429])
        self.assertEqual([proxy.fetch("GET", "/").status for _ in range(4)], [200] * 4)


class Cors(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Uvicorn())
        cls.proxy = cls.start_shared(Gatehouse({"upstream": cls.app.url, "cors": {
            "allow_origins": ["https://shop.example"], "allow_methods": ["GET", "PUT"], "allow_headers": ["X-Token"],
            "allow_credentials": True, "max_age": "10m"}}))

    def preflight(self, origin, method="PUT"):
        return self.proxy.fetch("OPTIONS", "/count/preflight", [
            ("Origin", origin), ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", "x-token")])

    def test_a_preflight_is_answered_without_the_app(self):
        response = self.preflight("https://shop.example")
        self.assertIn(response.status, (200, 204))
        self.assertEqual(response.header("Access-Control-Allow-Origin"), "https://shop.example")
        self.assertIn("PUT", response.header("Access-Control-Allow-Methods"))
        self.assertIn("x-token", response.header("Access-Control-Allow-Headers").lower())
        self.assertEqual(response.header("Access-Control-Allow-Credentials"), "true")
        self.assertEqual(response.header("Access-Control-Max-Age"), "600")
        self.assertIn("Origin", ",".join(response.all("Vary")))

    def test_another_origin_is_granted_nothing(self):
        for origin in ("https://evil.example", "https://shop.example.evil.example", "http://shop.example", "null"):
            self.assertIsNone(self.preflight(origin).header("Access-Control-Allow-Origin"), origin)
            response = self.proxy.fetch("GET", "/", [("Origin", origin)])
            self.assertIsNone(response.header("Access-Control-Allow-Origin"), origin)
            self.assertIn("Origin", ",".join(response.all("Vary")))

    def test_an_allowed_origin_may_read_the_apps_answers_and_our_own(self):
        for path in ("/", "/status/500", "/" + "x" * 9000):
            response = self.proxy.fetch("GET", path, [("Origin", "https://shop.example")])
            self.assertEqual(response.all("Access-Control-Allow-Origin"), ["https://shop.example"], path[:20])

    def test_an_app_that_is_down_is_not_mistaken_for_a_cors_error(self):
        proxy = self.gatehouse({"upstream": f"http://127.0.0.1:{free_port()}", "cors": {"allow_origins": ["https://shop.example"]}},
                               ready="/livez")
        response = proxy.fetch("GET", "/", [("Origin", "https://shop.example")])
        self.assert_problem(response, 502)
        self.assertEqual(response.header("Access-Control-Allow-Origin"), "https://shop.example")


class SecurityHeaders(EndToEnd):
    def test_the_api_preset_is_on_the_apps_answers_and_on_our_own(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "security_headers": {"preset": "api"}}, tls=True)
        for path in ("/", "/status/404", "/" + "x" * 9000):
            with self.subTest(path[:20]):
                response = proxy.fetch("GET", path)
                self.assertEqual(response.all("X-Content-Type-Options"), ["nosniff"])
                self.assertEqual(response.all("X-Frame-Options")[0].lower(), "deny")
                self.assertEqual(response.all("Referrer-Policy"), ["no-referrer"])
                self.assertIn("frame-ancestors 'none'", response.header("Content-Security-Policy"))

    def test_strict_transport_security_is_sent_over_https_alone(self):
        from support.http_client import fetch, trusting
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "security_headers": {"preset": "api"}}, tls=True)
        self.assertIn("max-age=", fetch(proxy.https, "/", tls=trusting()).header("Strict-Transport-Security"))
        self.assertIsNone(proxy.fetch("GET", "/").header("Strict-Transport-Security"))

    def test_what_tells_the_software_behind_is_removed(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "security_headers": {"preset": "api"}})
        self.assertNotIn("uvicorn", str(proxy.fetch("GET", "/").headers).lower())
