"""What operators see: health, metrics that a real Prometheus takes, and one record for each request that tells no secret."""
import json
import os
import subprocess
import tempfile
import urllib.parse

from support.apps import ScriptedUpstream, Uvicorn
from support.case import EndToEnd
from support.gatehouse import Gatehouse
from support.http_client import fetch
from support.ports import free_port
from support.process import Process
from support.waiting import wait_until


class Health(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Uvicorn())
        cls.proxy = cls.start_shared(Gatehouse({"upstream": cls.app.url}))

    def test_health_is_told_on_the_public_and_on_the_admin_port(self):
        for address in (self.proxy.http, self.proxy.admin):
            response = fetch(address, "/health")
            self.assertEqual(response.status, 200)
            self.assertIn("json", response.header("Content-Type"))
            self.assertTrue(response.json()["status"])

    def test_liveness_readiness_and_startup_are_told_on_the_admin_port(self):
        for path in ("/livez", "/readyz", "/startupz"):
            self.assertEqual(fetch(self.proxy.admin, path).status, 200, path)
            self.assertEqual(fetch(self.proxy.admin, path, "HEAD").body, b"")

    def test_the_admin_endpoints_are_not_public(self):
        for path in ("/livez", "/readyz", "/startupz", "/metrics"):
            self.assertEqual(self.proxy.fetch("GET", path).json(), {"detail": "Not Found"}, path)  # the app's own answer

    def test_the_admin_port_forwards_nothing(self):
        response = fetch(self.proxy.admin, "/echo")
        self.assertEqual(response.status, 404)
        self.assertNotIn(b"headers", response.body)

    def test_the_admin_port_takes_no_other_methods(self):
        self.assertEqual(fetch(self.proxy.admin, "/metrics", "DELETE").status, 405)


class Metrics(EndToEnd):
    def setUp(self):
        self.app = self.start(Uvicorn())
        self.proxy = self.gatehouse({"upstream": self.app.url})

    def traffic(self):
        for path in ("/", "/echo", "/status/404", "/status/500", "/stream", "/health"):
            self.proxy.fetch("GET", path)
        self.proxy.fetch("POST", "/echo", body=b"x")
        self.proxy.fetch("BREW", "/echo")
        with self.proxy.connect() as connection:
            connection.send("nonsense\r\n\r\n")
            connection.until_closed()

    def test_promtool_finds_nothing_to_mend(self):
        self.traffic()
        response = fetch(self.proxy.admin, "/metrics")
        self.assertTrue(response.header("Content-Type").startswith("text/plain; version=0.0.4"))
        judged = subprocess.run(["promtool", "check", "metrics"], input=response.body, capture_output=True)
        self.assertEqual((judged.returncode, judged.stdout + judged.stderr), (0, b""))

    def test_a_real_prometheus_scrapes_it(self):
        self.traffic()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        port = free_port()
        with open(f"{folder}/prometheus.yml", "w") as file:
            json.dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [
                {"job_name": "gatehouse", "static_configs": [{"targets": ["%s:%d" % self.proxy.admin]}]}]}, file)
        self.start(Process(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                            f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]))

        def query(text):
            try:
                answer = fetch(("127.0.0.1", port), "/api/v1/query?query=" + urllib.parse.quote(text))
            except OSError:
                return []
            return [sample["value"][1] for sample in answer.json()["data"]["result"]] if answer.status == 200 else []
        wait_until(lambda: query("up") == ["1"], "the target is up")
        self.assertGreater(int(query("scrape_samples_scraped")[0]), 20)
        self.assertTrue(query("sum(http_server_request_duration_seconds_count)"))

    def test_methods_and_paths_of_clients_do_not_become_series(self):
        self.traffic()
        before = len(self.proxy.metrics())
        for number in range(100):
            self.proxy.fetch(f"METHOD{number}", f"/path/{number}?q={number}", [("Host", f"host{number}.example")])
        text = fetch(self.proxy.admin, "/metrics").body.decode()
        self.assertNotIn("METHOD", text)
        self.assertNotIn("/path/", text)
        self.assertNotIn("host7", text)
        self.assertIn('"_OTHER"', text)
        self.assertLess(len(self.proxy.metrics()) - before, 60)

    def test_requests_are_counted_once(self):
        for _ in range(7):
            self.proxy.fetch("GET", "/")
        self.proxy.fetch("GET", "/status/404")
        count = lambda **labels: self.proxy.metric("http_server_request_duration_seconds_count", **labels)
        # The last answer may be here before it is counted.
        wait_until(lambda: (count(http_response_status_code="200"), count(http_response_status_code="404")) == (7, 1), "each is counted once")


SECRETS = {"header": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLW9mLXRva2Vu", "cookie": "session-value-4711",
           "query": "hunter2-in-the-query", "basic": "dXNlcjpodW50ZXIyLWJhc2lj", "key": "key-in-a-header-99"}


class AccessRecords(EndToEnd):
    def test_each_request_has_exactly_one_record(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url})
        with proxy.connect() as connection:
            for number in range(100):
                connection.fetch("GET", f"/echo/{number}")
        wait_until(lambda: len(proxy.records()) >= 100, "all are recorded")
        paths = [record["url.path"] for record in proxy.records()]
        self.assertEqual(sorted(paths), sorted(f"/echo/{number}" for number in range(100)))
        self.assertEqual(len({record["request_id"] for record in proxy.records()}), 100)

    def test_a_record_tells_who_asked_for_what_and_who_answered_how(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url})
        proxy.fetch("POST", "/echo/a?page=2", [("User-Agent", "probe/1.0")], b"12345")
        record = proxy.record(url_path="/echo/a")
        self.assertEqual(record["http.request.method"], "POST")
        self.assertEqual(record["http.response.status_code"], 200)
        self.assertEqual(record["url.query"], "page=2")
        self.assertEqual(record["client.address"], "127.0.0.1")
        self.assertEqual(record["user_agent.original"], "probe/1.0")
        self.assertEqual(record["http.request.body.size"], 5)
        self.assertGreater(record["http.response.body.size"], 5)
        self.assertEqual((record["gatehouse.decided_by"], record["gatehouse.reason"]), ("origin", "via_upstream"))
        self.assertRegex(record["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_credentials_are_in_no_line_of_the_log_at_any_level(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "log": {"level": "trace", "access": {"fields": "full"}}})
        fields = [("Authorization", f"Bearer {SECRETS['header']}"), ("Cookie", f"session={SECRETS['cookie']}; theme=dark"),
                  ("X-Api-Key", SECRETS["key"]), ("Proxy-Authorization", f"Basic {SECRETS['basic']}"),
                  ("Referer", f"https://a.example/?access_token={SECRETS['query']}")]
        for query in ("password={0}", "a=1&access_token={0}&b=2", "api_key={0}", "PassWord={0}", "user[password]={0}", "%70assword={0}"):
            proxy.fetch("GET", "/echo?" + query.format(SECRETS["query"]), fields)
        with proxy.connect() as connection:  # the same in a head that is refused
            connection.send(f"GET /bad?password={SECRETS['query']} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {SECRETS['header']}\r\n"
                            "Content-Length: 1\r\nContent-Length: 2\r\n\r\n")
            self.assertEqual(connection.response().status, 400)
        wait_until(lambda: len(proxy.records()) == 7, "all are recorded")
        proxy.finish()
        text = "\n".join(proxy.stdout + proxy.stderr)
        for name, secret in SECRETS.items():
            self.assertNotIn(secret, text, name)
        self.assertIn("a=1&access_token=", text)  # the key is kept, its value is not

    def test_what_no_client_should_send_is_recorded_too(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url})
        for bad in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
                    b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            with self.subTest(bad), proxy.connect() as connection:
                connection.send(bad)
                self.assertTrue(connection.until_closed().startswith(b"HTTP/1.1 400"))
        wait_until(lambda: len(proxy.records(http_response_status_code=400)) == 5, "all are recorded")
        for record in proxy.records():
            self.assertEqual(record["gatehouse.decided_by"], "sidecar")
            self.assertNotEqual(record["gatehouse.reason"], "via_upstream")

    def test_every_line_is_json_whatever_bytes_come(self):
        def play(connection):
            while True:
                connection.read_request()
                connection.reply(b"ok")
        proxy = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url, "log": {"access": {"fields": "full"}}})
        for text in (b"\xff\xfe", b"\"\\", b"\xe2\x80\xa8", b"caf\xc3\xa9", b"\x80" * 5000):
            with proxy.connect() as connection:
                connection.send(b"GET /x?q=%00%22 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUser-Agent: ", text, b"\r\n\r\n")
                connection.until_closed()
        wait_until(lambda: len(proxy.records()) == 5, "all are recorded")
        proxy.finish()
        for line in proxy.stdout:
            line.encode("utf-8")  # no surrogate escapes: it was valid UTF-8
            self.assertIsInstance(json.loads(line), dict)
        judged = subprocess.run(["jq", "-c", "type"], input="\n".join(proxy.stdout), capture_output=True, text=True)
        self.assertEqual((judged.returncode, set(judged.stdout.split()), judged.stderr), (0, {'"object"'}, ""))

    def test_health_requests_are_left_out_unless_asked_for(self):
        app = self.start(Uvicorn())
        quiet = self.gatehouse({"upstream": app.url})
        loud = self.gatehouse({"upstream": app.url, "log": {"access": {"exclude_health": False}}})
        for proxy in (quiet, loud):
            proxy.fetch("GET", "/health")
            proxy.fetch("GET", "/")
            proxy.record(url_path="/")
        self.assertEqual((len(quiet.records(url_path="/health")), len(loud.records(url_path="/health"))), (0, 1))

    def test_a_log_that_nobody_reads_holds_no_request_up(self):
        # A pipe that is full: stdout is replaced by one that nobody empties.
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        try:
            while True:
                os.write(writer, b"x" * 65536)
        except BlockingIOError:
            os.set_blocking(writer, True)
        app = self.start(Uvicorn())
        proxy = Gatehouse({"upstream": app.url, "log": {"queue": "64KiB"}}, before_exec=lambda: os.dup2(writer, 1))
        self.started.append(proxy)
        with proxy.connect() as connection:
            for number in range(1000):
                self.assertEqual(connection.fetch("GET", "/status/204", [("X-Pad", "x" * 100)]).status, 204)
        wait_until(lambda: sum(v for k, v in proxy.metrics().items() if "log" in k and "drop" in k) > 0, "drops are counted")
        os.close(reader)
        os.close(writer)
        proxy.finish()
