"""The log as an operator uses it: what is recorded, at which level, with which bodies, in which file, and never a secret."""
import gzip
import json
import os
import signal
import tempfile
import threading

import jsonschema

from support.apps import ScriptedUpstream, Uvicorn
from support.case import EndToEnd
from support.gatehouse import SANITIZED, Gatehouse, run_to_end
from support.http_client import fetch, trusting
from support.ports import free_port
from support.waiting import wait_until

_SCHEMA = os.path.join(os.path.dirname(__file__), "../../src/observe/access_record.schema.json")


def answers(body=b"ok", headers=()):
    def play(connection):
        while True:
            connection.read_request()
            connection.reply(body, headers=headers)
    return play


class Records(EndToEnd):
    def test_every_record_is_as_its_schema_says_and_in_its_order(self):
        with open(_SCHEMA) as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        order = list(schema["properties"])
        app = self.start(Uvicorn())
        for fields in ("minimal", "default", "full"):
            proxy = self.gatehouse({"upstream": {"pools": [{"name": "blue", "url": app.url}]}, "log": {"access": {
                "fields": fields, "exclude_health": False, "headers": ["X-Tenant", "Cookie"], "response_headers": ["Content-Type"]}}}, tls=True)
            trace = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
            proxy.fetch("GET", "/echo?page=2&token=t0p-secret", [trace, ("X-Tenant", "blue"), ("Cookie", "a=b"), ("Referer", "http://a/?key=abcdef"), ("User-Agent", "a")])
            proxy.fetch("POST", "/echo", body=b"x" * 100000)
            proxy.fetch("GET", "/status/500")
            proxy.fetch("GET", "/stream")
            proxy.fetch("GET", "/health")
            fetch(proxy.https, "/", tls=trusting())
            with proxy.connect() as connection:
                connection.send("nonsense\r\n\r\n")
                connection.until_closed()
            with proxy.connect() as connection:
                connection.send("GET /unfinished HTTP/1.1\r\nHost: a")
            wait_until(lambda: len(proxy.records()) >= 7, "all are recorded")
            proxy.finish()
            records = [json.loads(line) for line in proxy.stdout if '"logger":"access"' in line]
            self.assertGreaterEqual(len(records), 8)
            for record in records:
                jsonschema.validate(record, schema, jsonschema.Draft202012Validator)
                known = [key for key in record if key in order]
                self.assertEqual(known, sorted(known, key=order.index))
            if fields == "full":
                seen = {key for record in records for key in record}
                never = {"gatehouse.note", "span_id"}  # what no filter here has a reason to say
                self.assertEqual(set(order) - seen - never, set())

    def test_the_parts_of_a_duration_are_the_whole(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "log": {"access": {"fields": "full"}}})
        for path in ("/", "/stream", "/echo"):
            proxy.fetch("GET", path)
            record = proxy.record(url_path=path)
            part = lambda name: record[f"gatehouse.duration.{name}"]
            upstream = sum(part(name) for name in ("queue", "upstream_connect", "upstream_first_byte", "body"))
            self.assertAlmostEqual(part("upstream"), upstream, delta=0.00001)
            self.assertAlmostEqual(part("total"), part("read") + part("upstream") + part("added"), delta=0.00001)

    def test_waiting_for_the_app_is_told_apart_from_connecting(self):
        port = free_port()
        proxy = self.gatehouse({"upstream": {"url": f"http://127.0.0.1:{port}", "wait_for_app": "20s"}, "log": {"access": {"fields": "full"}}}, ready="/livez")
        with proxy.connect() as connection:
            connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until(lambda: proxy.metric("gatehouse_upstream_waits_total") >= 1, "it waits")
            self.start(Uvicorn(port=port))
            self.assertEqual(connection.response().status, 200)
        record = proxy.record(url_path="/")
        self.assertGreater(record["gatehouse.duration.queue"], record["gatehouse.duration.upstream_connect"])

    def test_successes_may_be_left_out_by_path_duration_and_share_and_errors_never(self):
        app = self.start(Uvicorn())
        config = {"exclude_paths": ["/status/200", "/echo/*"], "minimum_duration": "0s"}
        proxy = self.gatehouse({"upstream": app.url, "log": {"access": config}})
        quick = self.gatehouse({"upstream": app.url, "log": {"access": {"minimum_duration": "1h"}}})
        few = self.gatehouse({"workers": 1, "upstream": app.url, "log": {"access": {"sample": 0.25}}})
        for _ in range(8):
            for path in ("/status/200", "/echo/a", "/", "/status/404"):
                for gatehouse in (proxy, quick, few):
                    gatehouse.fetch("GET", path)
        for gatehouse in (proxy, quick, few):
            wait_until(lambda: len(gatehouse.records(url_path="/status/404")) == 8, "errors are recorded")
            gatehouse.finish()
        paths = lambda gatehouse: [record["url.path"] for record in gatehouse.records(http_response_status_code=200)]
        self.assertEqual(paths(proxy), ["/"] * 8)
        self.assertEqual(paths(quick), [])
        self.assertEqual(len(paths(few)), 6)

    def test_what_takes_the_place_of_a_secret_can_be_chosen(self):
        app = self.start(Uvicorn())
        told = {}
        for action in ("replace", "hash", "mask", "drop"):
            redact = {"action": action, "emails": True, "client_addresses": "truncate", **({"hash_key": "k"} if action == "hash" else {})}
            proxy = self.gatehouse({"upstream": app.url, "log": {"redact": redact}})
            proxy.fetch("GET", "/?password=correct-horse-battery&to=ann@example.com")
            record = proxy.record(url_path="/")
            told[action] = record.get("url.query", "")
            self.assertEqual(record["client.address"], "127.0.0.0")
            self.assertNotIn("ann@", told[action])
        self.assertIn("password=REDACTED", told["replace"])
        self.assertRegex(told["hash"], "password=hmac-[0-9a-f]{16}")
        self.assertIn("password=****tery", told["mask"])
        self.assertNotIn("password", told["drop"])


class Levels(EndToEnd):
    def test_they_are_told_and_changed_while_running_on_the_admin_port_alone(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "log": {"level": "warn", "levels": {"csp": "error"}}})
        levels = lambda: fetch(proxy.admin, "/log-levels").json()
        self.assertEqual(levels()["level"], "warn")
        self.assertEqual((levels()["components"]["csp"], levels()["components"]["upstream"]), ("error", "warn"))
        self.assertEqual(fetch(proxy.admin, "/log-levels?component=upstream&level=debug", "PUT").status, 200)
        self.assertEqual((levels()["level"], levels()["components"]["upstream"]), ("warn", "debug"))
        fetch(proxy.admin, "/log-levels?level=info", "PUT")
        self.assertEqual((levels()["level"], levels()["components"]["csp"], levels()["components"]["health"]), ("info", "error", "info"))
        for bad in ("", "?level=loud", "?component=nonsense&level=debug"):
            self.assert_problem(fetch(proxy.admin, "/log-levels" + bad, "PUT"), 400, "bad_log_level")
        self.assert_problem(fetch(proxy.admin, "/log-levels?level=trace", "PUT", [("Origin", "http://evil.example")]), 403, "from_browser")
        self.assertEqual(proxy.fetch("PUT", "/log-levels?level=trace").status, 404)  # the app's own answer
        self.assertEqual(levels()["level"], "info")

    def test_heads_of_requests_are_told_on_demand_without_their_secrets(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url})
        send = lambda path: proxy.fetch("GET", path, [("Authorization", "Bearer not-a-token-55"), ("Cookie", "sid=not-a-session-9"), ("X-Shown", "visible")])
        send("/echo/quiet")
        wait_until(lambda: proxy.records(url_path="/echo/quiet"), "the first is recorded, a moment after its answer")
        fetch(proxy.admin, "/log-levels?component=proxy&level=debug", "PUT")
        send("/echo/loud?api_key=not-a-key-1234")
        wait_until(lambda: proxy.records(url_path="/echo/loud"), "so is the second")
        fetch(proxy.admin, "/log-levels?component=proxy&level=info", "PUT")
        send("/echo/quiet")
        proxy.finish()
        lines = [json.loads(line) for line in proxy.stdout]
        heads = [line for line in lines if line["logger"] == "proxy" and line["level"] == "debug"]
        self.assertEqual([head["url.path"] for head in heads], ["/echo/loud"])
        self.assertEqual(heads[0]["http.request.header.x-shown"], "visible")
        self.assertEqual(heads[0]["http.response.status_code"], 200)
        self.assertIn("http.response.header.content-type", heads[0])
        for secret in ("not-a-token-55", "not-a-session-9", "not-a-key-1234"):
            self.assertNotIn(secret, "\n".join(proxy.stdout))


class Bodies(EndToEnd):
    def lines(self, proxy):
        return [json.loads(line) for line in proxy.stdout if '"logger":"bodies"' in line]

    def served(self, play, bodies=None):
        return self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url, "routes": [
            {"match": {"path": "/debug/*"}, "log": {"bodies": {"enabled": True, **(bodies or {})}}}]})

    def test_they_are_told_on_the_route_that_asks_for_it_without_their_secrets(self):
        answer = json.dumps({"user": "ann", "access_token": "not-a-token-77"}).encode()
        proxy = self.served(answers(answer, [("Content-Type", "application/json; charset=utf-8")]))
        for path in ("/debug/a", "/other"):
            proxy.fetch("POST", path, [("Content-Type", "application/x-www-form-urlencoded")], b"user=ann&password=hunter2-in-a-form")
        proxy.finish()
        lines = self.lines(proxy)
        self.assertEqual([line["message"] for line in lines], ["request body", "response body"])
        self.assertEqual(lines[0]["body"], "user=ann&password=REDACTED")
        self.assertEqual(json.loads(lines[1]["body"]), {"user": "ann", "access_token": "REDACTED"})
        self.assertEqual(lines[1]["size"], len(answer))
        self.assertEqual(lines[0]["request_id"], proxy.records(url_path="/debug/a")[0]["request_id"])
        self.assertTrue([line for line in proxy.stdout if "log.bodies is on" in line and '"warn"' in line and "/debug/*" in line])
        self.assertNotIn("hunter2", "\n".join(proxy.stdout))

    def test_they_are_off_unless_asked_for(self):
        proxy = self.gatehouse({"upstream": self.start(ScriptedUpstream(answers(b"{}", [("Content-Type", "application/json")]))).url})
        proxy.fetch("POST", "/debug/a", [("Content-Type", "application/json")], b"{}")
        proxy.finish()
        self.assertEqual(self.lines(proxy), [])
        self.assertFalse([line for line in proxy.stdout if "log.bodies" in line])

    def test_they_are_cut_and_a_secret_at_the_cut_is_still_hidden(self):
        proxy = self.served(answers(b"ok", [("Content-Type", "text/plain")]), {"max_size": "64B"})
        token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLW9mLXRva2Vu"
        body = b"x" * 40 + b" " + token.encode() + b" " + b"y" * 200000
        proxy.fetch("POST", "/debug/a", [("Content-Type", "text/plain")], body)
        proxy.finish()
        line = self.lines(proxy)[0]
        self.assertEqual((line["size"], line["complete"]), (len(body), False))
        self.assertLessEqual(len(line["body"]), 64 + 40)
        self.assertNotIn("eyJ", line["body"])

    def test_what_is_no_text_is_told_by_its_size_alone(self):
        packed = gzip.compress(b"secret text")
        proxy = self.served(answers(packed, [("Content-Type", "text/plain"), ("Content-Encoding", "gzip")]))
        proxy.fetch("POST", "/debug/a", [("Content-Type", "image/png")], b"\x89PNG")
        proxy.finish()
        for line, size in zip(self.lines(proxy), (4, len(packed))):
            self.assertNotIn("body", line)
            self.assertEqual((line["size"], line["complete"]), (size, False))

    def test_streamed_bodies_pass_while_they_are_kept(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "log": {"bodies": {"enabled": True}}})
        body = os.urandom(3_000_000)
        self.assertEqual(proxy.fetch("POST", "/echo", [("Content-Type", "text/plain")], body).json()["body_size"], len(body))
        proxy.finish()
        self.assertEqual(self.lines(proxy)[0]["size"], len(body))
        for line in proxy.stdout:
            self.assertIsInstance(json.loads(line), dict)


class SelfTest(EndToEnd):
    def test_canaries_pass_on_demand(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "log": {"redact": {"names": ["ssn"]}}})
        answer = fetch(proxy.admin, "/redaction-test")
        self.assertEqual((answer.status, answer.json()["status"], answer.json()["leaks"]), (200, "pass", []))
        self.assertGreater(answer.json()["canaries"], 15)

    def test_what_would_hide_nothing_does_not_start(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = os.path.join(folder, "gatehouse.yaml")
        with open(path, "w") as file:
            json.dump({"upstream": "http://127.0.0.1:1", "log": {"redact": {"names": ["***"]}}}, file)
        code, out, err = run_to_end("run", "--config", path)
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(err, r'redaction self-test: log.redact: the value of "\*\*\*" comes out of a log line')


class Files(EndToEnd):
    def test_a_rotated_file_is_left_alone_after_sighup(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "log": {"output": f"{folder}/log"}})
        def text(name):
            with open(f"{folder}/{name}") as file:
                return file.read()
        proxy.fetch("GET", "/echo/before")
        wait_until(lambda: "/echo/before" in text("log"), "it is written")
        os.rename(f"{folder}/log", f"{folder}/log.1")
        proxy.send_signal(signal.SIGHUP)
        wait_until(lambda: os.path.exists(f"{folder}/log"), "a new file is there")
        proxy.fetch("GET", "/echo/behind")
        wait_until(lambda: "/echo/behind" in text("log"), "it is written to the new one")
        self.assertNotIn("/echo/behind", text("log.1"))

    def test_a_reload_brings_levels_names_of_secrets_and_bodies(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "log": {"levels": {"csp": "error"}}})
        fetch(proxy.admin, "/log-levels?component=health&level=trace", "PUT")
        proxy.fetch("GET", "/echo/a?parcel_no=078051120")
        with open(proxy.config_file) as file:
            config = json.load(file)
        config["log"] = {"level": "warn", "levels": {"proxy": "debug"}, "redact": {"names": ["parcel-no"]}, "bodies": {"enabled": True}}
        with open(proxy.config_file, "w") as file:
            json.dump(config, file)
        self.assertEqual(fetch(proxy.admin, "/reload", "POST").status, 200)
        levels = fetch(proxy.admin, "/log-levels").json()
        self.assertEqual((levels["level"], levels["components"]["proxy"], levels["components"]["csp"], levels["components"]["health"]),
                         ("warn", "debug", "warn", "warn"))
        proxy.fetch("GET", "/echo/b?parcel_no=078051120")
        proxy.finish()
        self.assertEqual(proxy.records(url_path="/echo/a")[0]["url.query"], "parcel_no=078051120")
        self.assertEqual(proxy.records(url_path="/echo/b")[0]["url.query"], "parcel_no=REDACTED")
        self.assertTrue([line for line in proxy.stdout if "log.bodies is on" in line])
        self.assertTrue([line for line in proxy.stdout if '"logger":"bodies"' in line])


class Endings(EndToEnd):
    def test_a_crash_loses_nothing_that_was_recorded_a_moment_before(self):
        if SANITIZED:
            return  # a sanitizer takes the signal for its own
        folder = self.enterContext(tempfile.TemporaryDirectory())
        proxy = Gatehouse({"upstream": self.start(Uvicorn()).url, "log": {"output": f"{folder}/log"}})
        with proxy.connect() as connection:
            for number in range(50):
                connection.fetch("GET", f"/echo/{number}")
        proxy.send_signal(signal.SIGSEGV)
        self.assertEqual(proxy.wait(), -signal.SIGSEGV)
        with open(f"{folder}/log") as file:
            records = [json.loads(line) for line in file]
        self.assertEqual(sum(record["logger"] == "access" for record in records), 50)

    def test_with_overflow_block_no_line_is_lost_to_a_slow_reader(self):
        reader, writer = os.pipe()
        proxy = Gatehouse({"upstream": self.start(Uvicorn()).url, "log": {"queue": "64KiB", "overflow": "block"}},
                          before_exec=lambda: os.dup2(writer, 1))
        self.started.append(proxy)
        os.close(writer)
        done = threading.Event()

        def ask():
            with proxy.connect() as connection:
                for number in range(800):
                    connection.fetch("GET", f"/status/204?n={number}", [("X-Pad", "x")])
            done.set()
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        self.assertFalse(done.wait(3))  # it waits for a reader: the pipe and the queue are full
        text = bytearray()

        def read():
            while part := os.read(reader, 65536):
                text.extend(part)
        reading = threading.Thread(target=read)
        reading.start()
        asking.join(60)
        self.assertTrue(done.is_set())
        proxy.finish()
        reading.join(60)
        os.close(reader)
        paths = [json.loads(line).get("url.query") for line in text.decode().splitlines()]
        self.assertEqual([path for path in paths if path], [f"n={number}" for number in range(800)])
