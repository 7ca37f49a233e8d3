"""The status page, in a real browser: it shows what /metrics and /health say, runs nothing foreign, and can be used without a mouse, on a
phone and in the dark. With GATEHOUSE_SCREENSHOTS=FOLDER it leaves pictures there."""
import os
import tempfile

from browser_driver import Browser
from support.apps import ScriptedUpstream
from support.case import EndToEnd
from support.certificates import Authority
from support.gatehouse import Gatehouse
from support.http_client import fetch
from support.waiting import wait_until

SECRET = "hunter2-and-more"
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
DESKTOP = {"width": 1280, "height": 1000, "deviceScaleFactor": 1, "mobile": False}


def play(connection):
    """An app that answers with the status that the path ends in, and breaks the connection where that is 000."""
    while True:
        request = connection.read_request()
        status = request.target.partition("?")[0][-3:]
        if status == "000":
            return
        connection.reply(b"x" * 200, status=f"{status if status.isdigit() else 200} Said")


class StatusPage(EndToEnd):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.browser = cls.start_shared(Browser(Authority(folder).issue("example.com")[0]))

    def setUp(self):
        self.app = self.start(ScriptedUpstream(play))
        self.proxy = self.gatehouse({
            "upstream": self.app.url,
            "health": {"token": SECRET, "checks": [
                {"name": "orders-db", "type": "tcp", "url": "tcp://%s:%d" % self.app.address, "interval": "200ms"},
                {"name": "nightly-backup", "type": "disk", "path": "/tmp", "minimum_free": "1B", "critical": False, "interval": "200ms"}]},
            "rate_limits": [{"name": "per-client", "key": "client_address", "quota": 100000, "window": "1m"}],
            "routes": [{"match": {"path": path}} for path in ("/orders/{id}", "/login", "/reports/*")]}, tls=True)

    def traffic(self):
        with self.proxy.connect() as connection:
            for i in range(40):
                connection.fetch("GET", f"/orders/{i}")
            for path in ("/login", "/reports/404", "/reports/500", "/reports/503?token=" + SECRET):
                connection.fetch("GET", path)
        self.proxy.fetch("GET", "/reports/<script>alert(1)</script>/000")
        with self.proxy.connect() as connection:
            connection.send("nonsense\r\n\r\n")
            connection.until_closed()

    def open(self, device=DESKTOP, scheme="light"):
        self.browser.chrome("Emulation.setDeviceMetricsOverride", **device)
        self.browser.chrome("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.browser.open("http://%s:%d/" % self.proxy.admin)
        wait_until(lambda: self.browser.run("return document.body.dataset.ready === 'true'"), "the page has read its numbers")

    def ask(self, path):
        response = fetch(self.proxy.admin, path, headers=[("Host", "localhost")])
        self.assertEqual(response.status, 200)
        return response

    def text_of(self, selector):
        return self.browser.run("return document.querySelector(args[0]).textContent", selector)

    def rows(self, table):
        return self.browser.run("return [...document.querySelectorAll('#' + args[0] + ' tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))", table)

    def test_its_numbers_are_those_of_metrics_and_health(self):
        self.traffic()
        self.open()
        count = lambda **labels: int(self.proxy.metric("http_server_request_duration_seconds_count", **labels))
        self.assertEqual(int(self.text_of("#traffic-total").replace(",", "")), count())
        failed = sum(count(http_response_status_code=str(code)) for code in (500, 502, 503))
        self.assertEqual((int(self.text_of("#traffic-failed")), failed), (failed, 3))
        rows = {row[0]: row for row in self.rows("routes")}
        self.assertEqual(set(rows), {"/orders/{id}", "/login", "/reports/*", "unmatched"})
        for route, row in rows.items():
            self.assertEqual(int(row[1]), count(http_route=route), route)
            self.assertEqual(int(row[3]), sum(count(http_route=route, http_response_status_code=str(code)) for code in (500, 502, 503)), route)
        # The page's median lies in the bucket in which the middle of the counts lies.
        bounds = [0, .005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10]
        below = [0] + [self.proxy.metric("http_server_request_duration_seconds_bucket", le=str(float(b))) for b in bounds[1:]]
        place = next(i for i, value in enumerate(below) if value >= count() / 2)
        value, unit = self.text_of("#traffic-p50").split()
        median = float(value) * {"s": 1, "ms": 1e-3, "µs": 1e-6}[unit]
        self.assertTrue(bounds[place - 1] <= median <= bounds[place], (median, place))
        health = fetch(self.proxy.admin, "/health").json()
        self.assertEqual({row[0] for row in self.rows("checks")}, set(health["checks"]))
        self.assertTrue(all("well" in row[1] for row in self.rows("checks")))
        limits = {row[0]: row for row in self.rows("limits")}
        self.assertEqual(limits["Client connections"][2], "10,000")
        self.assertEqual(self.rows("policies")[0][0], "per-client")
        self.assertIn("localhost", self.rows("certificates")[0][0])
        self.assertIn("✓ all is well", self.text_of("#verdict"))

    def test_it_lives(self):
        self.open()
        total = lambda: int(self.text_of("#traffic-total"))
        before = total()
        self.traffic()
        wait_until(lambda: total() == before + 46, "the requests since are shown")

    def test_it_tells_that_the_app_is_at_fault(self):
        self.open()
        self.app.__exit__(None)
        wait_until(lambda: "failing" in self.browser.run("return document.querySelector('#blame li').textContent"), "the app's card says so")
        self.assertIn("not ready", self.text_of("#verdict"))
        self.assertIn("does not accept connections", self.text_of("#blame"))
        self.assertIn("serves, and has room", self.text_of("#blame li:last-child"))

    def test_last_errors_have_reasons_and_no_query_and_are_never_taken_for_html(self):
        self.traffic()
        self.open()
        rows = self.rows("errors")
        said = {row[2]: (row[1], row[3], row[4]) for row in rows}
        self.assertEqual(said["GET /reports/503"], ("503", "via_upstream", "app"))
        self.assertEqual(said["GET /reports/<script>alert(1)</script>/000"], ("502", "upstream_closed_before_response", "Gatehouse"))
        self.assertIn("malformed_request_line", {row[3] for row in rows})
        self.assertNotIn("GET /reports/404", said)  # the app's own 4xx is its answer, not an error
        self.assertFalse(self.browser.run("return !!document.querySelector('#errors script')"))
        self.assertNotIn(SECRET, self.ask("/health?show=errors").body.decode())
        self.assertNotIn(SECRET, self.browser.text())

    def test_the_configuration_is_shown_without_its_secrets(self):
        self.open()
        self.browser.run("document.querySelector('#config summary').click()")
        text = wait_until(lambda: self.text_of("#config pre"), "the configuration is there")
        self.assertIn("keep_alive: 1m15s", text)  # a default
        self.assertIn("name: per-client", text)
        self.assertIn("<redacted>", text)
        self.assertNotIn(SECRET, text)

    def test_it_reads_metrics_and_health_and_nothing_else(self):
        self.open()
        self.browser.run("document.querySelector('#config summary').click()")
        wait_until(lambda: self.text_of("#config pre"), "the configuration is there")
        read = self.browser.run("return performance.getEntriesByType('resource').map(entry => [entry.initiatorType, new URL(entry.name).pathname])")
        self.assertEqual({path for kind, path in read if kind == "fetch"}, {"/metrics", "/health"})
        self.assertEqual({path for _, path in read} - {"/metrics", "/health", "/favicon.ico"}, set())

    def test_what_health_shows_to_people_is_on_the_admin_port_alone(self):
        self.traffic()
        self.assertEqual(set(self.ask("/health?show=errors").json()) - set(self.ask("/health").json()), {"errors"})
        self.assertEqual(set(self.ask("/health?show=configuration").json()) - set(self.ask("/health?show=else").json()), {"configuration"})
        for show in ("errors", "configuration"):
            response = self.proxy.fetch("GET", f"/health?show={show}", headers=[("Authorization", "Bearer " + SECRET)])
            self.assertIn("checks", response.json())
            self.assertNotIn(show, response.json())

    def test_nothing_foreign_can_run_in_it(self):
        response = self.ask("/")
        policy = dict(part.strip().split(" ", 1) for part in response.header("Content-Security-Policy").split(";"))
        self.assertEqual(policy["default-src"], "'none'")
        for name in ("script-src", "style-src"):
            self.assertRegex(policy[name], r"^'sha256-[A-Za-z0-9+/=]{44}'$")
        self.assertEqual((policy["connect-src"], policy["frame-ancestors"], policy["base-uri"]), ("'self'", "'none'", "'none'"))
        page = response.body.decode()
        for foreign in ("http://", "https://", "src=", "@import", "@@"):
            self.assertNotIn(foreign, page.replace("http://www.w3.org/2000/svg", ""))
        self.open()
        self.browser.run("""const script = document.createElement('script');
            try { script.textContent = 'document.body.dataset.owned = 1'; } catch (error) {}
            document.body.append(script);""")
        self.assertIsNone(self.browser.run("return document.body.dataset.owned || null"))

    def test_the_console_stays_empty(self):
        self.traffic()
        self.browser.console()
        for device in (DESKTOP, PHONE):
            self.open(device)
            self.browser.run("document.querySelector('#config summary').click()")
            wait_until(lambda: self.text_of("#config pre"), "the configuration is there")
        self.assertEqual(self.browser.console(), "")

    def test_it_has_landmarks_headings_and_headers_for_a_screen_reader(self):
        self.traffic()
        self.open()
        found = self.browser.run("""return {
            lang: document.documentElement.lang,
            landmarks: ['header', 'main', 'footer', 'h1'].map(name => document.querySelectorAll(name).length),
            levels: [...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1])),
            unnamed: [...document.querySelectorAll('section, [role=region]')].filter(e => !(e.getAttribute('aria-label') ||
                document.getElementById(e.getAttribute('aria-labelledby')).textContent)).length,
            tables: [...document.querySelectorAll('table')].map(table => [!!table.caption.textContent,
                [...table.tHead.rows[0].cells].every(cell => cell.tagName === 'TH' && cell.scope === 'col'),
                [...table.tBodies[0].rows].every(row => row.cells[0].scope === 'row' || row.cells[0].className === 'none')]),
            status: document.querySelector('#verdict').getAttribute('role'),
            words: [...document.querySelectorAll('.pill')].every(pill => /[a-z]/.test(pill.textContent)),
            hidden: [...document.querySelectorAll('svg')].every(svg => svg.getAttribute('aria-hidden') === 'true')}""")
        self.assertEqual((found["lang"], found["landmarks"], found["status"]), ("en", [1, 1, 1, 1], "status"))
        self.assertTrue(all(after - before <= 1 for before, after in zip(found["levels"], found["levels"][1:])), found["levels"])
        self.assertEqual(found["unnamed"], 0)
        self.assertEqual(len(found["tables"]), 6)
        self.assertTrue(all(all(table) for table in found["tables"]), found["tables"])
        self.assertTrue(found["words"] and found["hidden"])

    def test_the_keyboard_reaches_everything_in_order(self):
        self.traffic()
        self.open()
        self.browser.press("\ue004")  # Tab
        self.assertEqual(self.browser.run("return document.activeElement.textContent"), "Skip to content")
        self.assertTrue(self.browser.run("return document.activeElement.getBoundingClientRect().left >= 0"))  # seen while it has the focus
        self.browser.press("\ue007")  # Enter
        self.assertEqual(self.browser.run("return document.activeElement.id"), "main")
        tops = []
        for _ in range(12):
            self.browser.press("\ue004")
            top = self.browser.run("const e = document.activeElement; return e === document.body ? null : e.getBoundingClientRect().top + scrollY")
            if top is None:
                break
            tops.append(top)
            self.assertNotEqual(self.browser.run("return getComputedStyle(document.activeElement).outlineStyle"), "none")
        self.assertGreater(len(tops), 7)
        self.assertEqual(tops, sorted(tops))

    def test_it_can_be_read_on_a_phone(self):
        self.traffic()
        self.open(PHONE)
        width, screen = self.browser.run("return [document.documentElement.scrollWidth, innerWidth]")
        self.assertEqual((width, screen), (390, 390))
        self.assertEqual(self.browser.run("return getComputedStyle(document.querySelector('#routes td'), '::before').content"), '"Requests"')

    def contrasts(self):
        """The contrast of every text to what is behind it, the lowest first (WCAG 2)."""
        return self.browser.run("""
            const rgb = text => text.match(/[\\d.]+/g).map(Number);
            const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
                .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
            const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
            return [...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && e.offsetParent)
                .map(e => { const a = light(rgb(getComputedStyle(e).color)), b = light(ground(e)); return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.className + ' ' + e.textContent]; })
                .sort((a, b) => a[0] - b[0]).slice(0, 3);""")

    def test_its_texts_stand_out_in_the_light_and_in_the_dark(self):
        self.traffic()
        for scheme in ("light", "dark"):
            self.open(scheme=scheme)
            self.assertGreaterEqual(self.contrasts()[0][0], 4.5, self.contrasts())

    def test_pages_of_other_names_that_lead_here_read_nothing(self):
        for path in ("/", "/health?show=errors", "/health?show=configuration"):
            self.assertEqual(fetch(self.proxy.admin, path, headers=[("Host", "evil.example")]).status, 421, path)
            for host in ("localhost:9901", "127.0.0.1", "[::1]:9901", "gatehouse.localhost"):
                self.assertEqual(fetch(self.proxy.admin, path, headers=[("Host", host)]).status, 200, (path, host))
        for path in ("/metrics", "/health"):
            self.assertEqual(fetch(self.proxy.admin, path, headers=[("Host", "gatehouse:9901")]).status, 200, path)

    def test_pictures(self):
        folder = os.environ.get("GATEHOUSE_SCREENSHOTS") or self.enterContext(tempfile.TemporaryDirectory())
        self.traffic()
        for name, device in (("desktop", DESKTOP), ("phone", PHONE)):
            for scheme in ("light", "dark"):
                self.open(device, scheme)
                for points in range(2, 12 if os.environ.get("GATEHOUSE_SCREENSHOTS") and name == "desktop" else 4):
                    self.traffic()
                    wait_until(lambda: self.browser.run("return document.querySelector('polyline').points.length") >= points, "the line grows")
                picture = self.browser.picture()
                self.assertGreater(len(picture), 10000)
                with open(os.path.join(folder, f"status-{name}-{scheme}.png"), "wb") as file:
                    file.write(picture)
