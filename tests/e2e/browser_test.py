"""What a real browser makes of it: CORS, cookies, cross-site requests and policies, seen from the pages that are allowed, those
that are not, and those that only look as if they were."""
import json
import tempfile
import time

from browser_driver import Browser, Pages
from support.apps import Uvicorn
from support.case import EndToEnd
from support.certificates import Authority
from support.gatehouse import Gatehouse
from support.ports import free_port
from support.waiting import wait_until

JSON = {"Content-Type": "application/json", "Authorization": "Bearer x"}


class WithBrowser(EndToEnd):
    """One browser and the pages of other origins, for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.certificate = Authority(folder).issue("*.example.com")
        cls.pages = cls.enterClassContext(Pages(cls.certificate))
        cls.app = cls.start_shared(Uvicorn(app="browser_app:app"))
        cls.browser = cls.start_shared(Browser(cls.certificate[0]))

    @classmethod
    def serve(cls, keep=None, **config):
        """Gatehouse in front of the app at https://api.example.com, for one test or, with start_shared, for the class."""
        port = free_port()
        certificate, private_key = cls.certificate
        tls = {"certificates": [{"certificate": certificate, "private_key": private_key}]}
        config = {"upstream": cls.app.url, **config, "listeners": [{"address": f"127.0.0.1:{port}", "tls": tls}]}
        proxy = (keep or cls.start_shared)(Gatehouse(config, ready="/livez"))
        proxy.site = f"https://api.example.com:{port}"
        return proxy

    def open(self, host):
        """Opens a page of another origin, with nothing in the console."""
        self.browser.open(self.pages.origin(host))
        self.browser.console()

    def reached_the_app(self, line):
        return line in self.app.fetch("GET", "/seen").json()


class CrossOrigin(WithBrowser):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy = cls.serve(
            cors={"allow_origins": [cls.pages.origin("app.example.com"), cls.pages.origin("*.preview.example")],
                  "allow_credentials": True},
            limits={"body": "1KiB"},
            routes=[{"match": {"path": "/items/limited"},
                     "rate_limits": [{"name": "one", "key": "client_address", "quota": 1, "window": "1h", "burst": 1}]}])
        cls.api = cls.proxy.site

    def test_pages_of_allowed_origins_read_answers(self):
        for host in ("app.example.com", "pr-1.preview.example", "a.b.preview.example"):
            with self.subTest(host):
                self.open(host)
                answer = self.browser.fetch(f"{self.api}/items")
                self.assertEqual((answer["status"], answer["type"]), (200, "cors"))
                self.assertIn("x-request-id", answer["headers"])

    def test_pages_of_allowed_origins_may_do_what_needs_a_preflight(self):
        self.open("app.example.com")
        for method in ("PUT", "DELETE", "PATCH", "POST"):
            answer = self.browser.fetch(f"{self.api}/items", method=method, headers=JSON, body="{}")
            self.assertEqual(answer["status"], 200, method)
            self.assertIn(f'"method":"{method}"', answer["body"])

    def test_pages_of_all_others_are_refused_and_their_preflights_end_here(self):
        for host in ("evil.example", "evilapp.example.com", "app.example.com.evil.example", "app-example.com", "preview.example",
                     "evil-preview.example", "www.example.com", "api.example.com"):
            with self.subTest(host):
                self.open(host)
                self.assertEqual(self.browser.fetch(f"{self.api}/items"), "refused")
                self.assertIn("No 'Access-Control-Allow-Origin' header", self.browser.console())
                answer = self.browser.fetch(f"{self.api}/items/{host}", method="PUT", headers=JSON, body="{}")
                self.assertEqual(answer, "refused")
                self.assertFalse(self.reached_the_app(f"PUT /items/{host}"))
                self.assertFalse(self.reached_the_app(f"OPTIONS /items/{host}"))

    def test_a_sandboxed_frame_is_refused(self):
        self.open("app.example.com")
        self.assertEqual(self.browser.fetch_from_sandbox(f"{self.api}/items"), "refused")
        self.assertEqual(self.browser.fetch_from_sandbox(f"{self.api}/items/null", method="PUT", headers=JSON), "refused")
        self.assertFalse(self.reached_the_app("PUT /items/null"))

    def test_cookies_travel_along_where_the_page_asks_for_it(self):
        self.browser.open(f"{self.api}/log-in")
        self.open("app.example.com")
        answer = self.browser.fetch(f"{self.api}/items", credentials="include")
        self.assertIn("sid=abc", answer["body"])
        answer = self.browser.fetch(f"{self.api}/items", credentials="include", method="PUT", headers=JSON, body="{}")
        self.assertIn("sid=abc", answer["body"])
        self.assertNotIn("sid=abc", self.browser.fetch(f"{self.api}/items")["body"])

    def test_an_app_whose_own_cors_no_browser_takes_works(self):
        self.open("app.example.com")
        self.assertEqual(self.browser.fetch(f"{self.app.url}/own-cors", credentials="include"), "refused")
        self.assertEqual(self.browser.fetch(f"{self.api}/own-cors", credentials="include")["status"], 200)
        self.assertEqual(self.browser.fetch(f"{self.api}/own-cors", credentials="include", method="PUT")["status"], 200)
        self.assertGreaterEqual(self.proxy.metric("gatehouse_cors_app_disagreements_total"), 2)
        self.open("evil.example")
        self.assertEqual(self.browser.fetch(f"{self.api}/own-cors"), "refused")

    def test_the_page_reads_the_status_of_every_refusal(self):
        self.open("app.example.com")
        read = lambda path, **options: self.browser.fetch(self.api + path, **options)
        for status in (400, 401, 403, 404, 429, 500, 503):
            self.assertEqual(read(f"/status/{status}")["status"], status)
        self.assertEqual(read("/items", method="POST", headers=JSON, body="x" * 2000)["status"], 413)
        self.assertEqual(read("/items/limited", method="PUT", headers=JSON, body="{}")["status"], 200)
        limited = read("/items/limited", method="PUT", headers=JSON, body="{}")
        self.assertEqual(limited["status"], 429)
        self.assertGreater(int(limited["headers"]["retry-after"]), 0)
        self.assertIn("x-request-id", limited["headers"])

    def test_an_app_that_is_down_shows_as_502_and_not_as_a_cors_error(self):
        proxy = self.serve(self.start, upstream=f"http://127.0.0.1:{free_port()}",
                           cors={"allow_origins": [self.pages.origin("app.example.com"), self.pages.origin("b.example")]})
        self.open("app.example.com")
        for options in ({}, {"method": "PUT", "headers": JSON, "body": "{}"}):
            answer = self.browser.fetch(f"{proxy.site}/items", **options)
            self.assertEqual(answer["status"], 502)
            self.assertIn("upstream_unreachable", answer["body"])

    def test_a_request_head_that_cannot_be_taken_shows_its_status(self):
        self.open("app.example.com")
        for status, path, headers in ((400, "/items/a%2Fb", {}), (414, "/items/" + "x" * 9000, {}),
                                      (431, "/items", {"X-Requested-With": "x" * 20000})):
            answer = self.browser.fetch(self.api + path, headers=headers)
            self.assertEqual(answer["status"], status)
            self.assertIn(f'"status":{status}', answer["body"])

    def test_the_console_names_the_method_or_header_that_is_not_allowed(self):
        proxy = self.serve(self.start, cors={"allow_origins": [self.pages.origin("app.example.com")],
                                             "allow_methods": ["GET"], "allow_headers": ["X-A"]})
        self.open("app.example.com")
        self.assertEqual(self.browser.fetch(f"{proxy.site}/items", method="DELETE"), "refused")
        self.assertIn("Method DELETE is not allowed by Access-Control-Allow-Methods", self.browser.console())
        self.assertEqual(self.browser.fetch(f"{proxy.site}/items", headers={"X-B": "1"}), "refused")
        self.assertIn("field x-b is not allowed by Access-Control-Allow-Headers", self.browser.console())
        self.assertEqual(self.browser.fetch(f"{proxy.site}/items", headers={"X-A": "1"})["status"], 200)

    def test_a_route_of_one_method_has_a_policy_of_its_own(self):
        proxy = self.serve(self.start, cors={"allow_origins": [self.pages.origin("app.example.com")]}, routes=[
            {"match": {"path": "/items/of-partners", "methods": ["PUT"]},
             "cors": {"allow_origins": [self.pages.origin("partner.example")]}}])
        read = lambda **options: self.browser.fetch(f"{proxy.site}/items/of-partners", **options)
        self.open("partner.example")
        self.assertEqual(read(method="PUT", headers=JSON, body="{}")["status"], 200)
        self.assertEqual(read(method="DELETE"), "refused")
        self.open("app.example.com")
        self.assertEqual(read(method="PUT", headers=JSON, body="{}"), "refused")
        self.assertEqual(read(method="DELETE")["status"], 200)

    def test_everyone_reads_what_is_public_and_nobody_with_cookies(self):
        proxy = self.serve(self.start, cors={"allow_origins": ["*"], "expose_headers": ["*"]})
        self.open("evil.example")
        answer = self.browser.fetch(f"{proxy.site}/items")
        self.assertEqual((answer["status"], answer["headers"]["x-total"]), (200, "7"))
        self.assertEqual(self.browser.fetch_from_sandbox(f"{proxy.site}/items")["status"], 200)
        self.assertEqual(self.browser.fetch(f"{proxy.site}/items", credentials="include"), "refused")

    def test_null_is_an_origin_only_where_it_is_named(self):
        proxy = self.serve(self.start, cors={"allow_origins": ["null"]})
        self.open("app.example.com")
        self.assertEqual(self.browser.fetch_from_sandbox(f"{proxy.site}/items", method="PUT", headers=JSON)["status"], 200)
        self.assertEqual(self.browser.fetch(f"{proxy.site}/items"), "refused")

    def test_the_browsers_cache_keeps_answers_for_different_origins_apart(self):
        self.open("app.example.com")
        # An image is asked for without an origin; had that answer no Vary, the script would be given it.
        self.browser.run("""
            const image = new Image();
            const ended = new Promise(resolve => image.onload = image.onerror = resolve);
            image.src = args[0];
            await ended;""", f"{self.api}/cached")
        for _ in range(3):
            self.assertEqual(self.browser.fetch(f"{self.api}/cached", credentials="include")["status"], 200)
        self.assertEqual(self.app.fetch("GET", "/seen").json().count("GET /cached"), 2)


class Cookies(WithBrowser):
    def test_the_browser_keeps_the_apps_cookies_with_the_flags_they_lacked(self):
        proxy = self.serve(self.start, cookies={"exceptions": [{"name": "embed_*", "http_only": False}]})
        self.browser.open(f"{proxy.site}/log-in")
        kept = {name: (cookie["secure"], cookie["httpOnly"], cookie.get("sameSite"))
                for name, cookie in self.browser.cookies().items()}
        self.assertEqual(kept, {
            "sid": (True, True, "Lax"),
            "__Host-id": (True, True, "Lax"),  # refused by the browser without Secure
            "csrftoken": (True, False, "Lax"),
            "embed_widget": (True, False, "None"),  # refused by the browser without Secure
            "chosen": (True, True, "Strict"),
        })
        self.assertGreater(self.browser.cookies()["sid"]["expiry"], time.time() + 100 * 86400)  # Expires was not torn apart
        self.assertEqual(self.browser.run("return document.cookie").count("sid"), 0)
        self.assertIn("csrftoken=xyz", self.browser.run("return document.cookie"))

    def test_without_it_they_have_none(self):
        proxy = self.serve(self.start)
        self.browser.open(f"{proxy.site}/log-in")
        cookies = self.browser.cookies()
        self.assertEqual((cookies["sid"]["secure"], cookies["sid"]["httpOnly"]), (False, False))
        self.assertNotIn("__Host-id", cookies)
        self.assertNotIn("embed_widget", cookies)

    def tearDown(self):
        self.browser.forget_cookies()


POST_A_FORM = """
    const form = document.createElement('form');
    form.method = 'POST';
    form.action = args[0];
    document.body.append(form);
    form.submit();
"""
OPEN_A_WEBSOCKET = """
    return await new Promise(resolve => {
        const socket = new WebSocket(args[0].replace('https', 'wss'));
        socket.onmessage = event => resolve(event.data);
        socket.onerror = () => resolve('refused');
    });
"""


class CrossSite(WithBrowser):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy = cls.serve(cors={"allow_origins": [cls.pages.origin("partner.example")]},
                              cross_site_guard={"exempt": ["/items/*"]}, cookies={"same_site": "none"})

    def submit_form(self, page):
        self.browser.open(page)
        self.browser.run(POST_A_FORM, f"{self.proxy.site}/form")
        return wait_until(lambda: self.browser.text(), "the answer to the form")

    def test_a_form_on_another_site_changes_nothing_even_with_the_users_cookies(self):
        self.browser.open(f"{self.proxy.site}/log-in")
        answer = self.submit_form(self.pages.origin("evil.example"))
        self.assertIn("cross_site_request", answer)
        self.assertFalse(self.reached_the_app("POST /form"))

    def test_a_form_on_the_apps_own_pages_and_on_those_that_cors_names_is_taken(self):
        for page in (f"{self.proxy.site}/page", self.pages.origin("partner.example"), self.pages.origin("www.example.com")):
            self.assertIn("the form was taken", self.submit_form(page), page)

    def test_another_site_opens_no_websocket(self):
        self.open("evil.example")
        self.assertEqual(self.browser.run(OPEN_A_WEBSOCKET, f"{self.proxy.site}/ws"), "refused")
        self.browser.open(f"{self.proxy.site}/page")
        self.assertEqual(self.browser.run(OPEN_A_WEBSOCKET, f"{self.proxy.site}/ws"), "hello")

    def test_another_site_may_call_what_is_exempt(self):
        self.open("evil.example")
        self.browser.fetch(f"{self.proxy.site}/items/webhook", method="POST", mode="no-cors")
        self.assertTrue(self.reached_the_app("POST /items/webhook"))


FRAME = """
    const frame = document.createElement('iframe');
    frame.src = args[0];
    const loaded = new Promise(resolve => frame.onload = resolve);
    document.body.append(frame);
    await loaded;
"""


class Policies(WithBrowser):
    def violation(self, proxy, **wanted):
        """Waits for the log line of a report."""
        def find():
            for line in list(proxy.stdout):
                record = json.loads(line)
                if record.get("logger") == "csp" and all(record.get(key) == value for key, value in wanted.items()):
                    return record
        return wait_until(find, f"a report with {wanted}")

    def test_the_web_preset_breaks_no_page_and_reports_what_a_policy_would(self):
        proxy = self.serve(self.start, security_headers={"preset": "web", "reports": {}})
        self.browser.open(f"{proxy.site}/page?token=secret")
        self.assertEqual(self.browser.run("return document.title"), "the script ran")
        record = self.violation(proxy, disposition="report", directive="script-src-elem")
        self.assertEqual((record["blocked"], record["document"]), ("inline", f"{proxy.site}/page"))
        self.assertGreaterEqual(proxy.metric("gatehouse_csp_reports_total"), 1)
        self.assertFalse(self.reached_the_app("POST /.well-known/csp-reports"))

    def test_an_enforced_policy_stops_the_script_and_reports_it(self):
        proxy = self.serve(self.start, security_headers={"preset": "web", "csp": "default-src 'self'", "reports": "/csp"})
        self.browser.open(f"{proxy.site}/page")
        self.assertEqual(self.browser.run("return document.title"), "page")
        self.violation(proxy, disposition="enforce", blocked="inline")

    def test_nobody_else_frames_a_page(self):
        proxy = self.serve(self.start, security_headers="web")
        self.open("evil.example")
        self.browser.run(FRAME, f"{proxy.site}/page")
        self.assertIn("refused to connect", self.browser.text_of_frame())
        self.browser.open(f"{proxy.site}/page")
        self.browser.run(FRAME, f"{proxy.site}/form")
        self.assertIn("Method Not Allowed", self.browser.text_of_frame())
