"""What deploy/prometheus and deploy/grafana ship: it is valid, the alerts fire when they should, and every metric they name exists in a
live scrape by a real Prometheus, which finds nothing to warn of."""
import glob
import json
import os
import re
import ssl
import subprocess
import tempfile
import urllib.parse

import yaml
from support import judges
from support.apps import ScriptedUpstream
from support.case import EndToEnd
from support.gatehouse import Gatehouse
from support.http_client import Connection, fetch, trusting
from support.ports import free_port
from support.process import Process
from support.waiting import wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROMETHEUS = f"{ROOT}/deploy/prometheus"
# Words of PromQL that are no metrics.
WORDS = set("sum min max count rate increase changes max_over_time time vector histogram_quantile round and or unless on ignoring group_left bool offset "
            "label_values".split())


def load(path):
    with open(path) as file:
        return yaml.safe_load(file)


def rules(kind):
    return [rule for path in sorted(glob.glob(f"{PROMETHEUS}/*.rules.yml")) for group in load(path)["groups"] for rule in group["rules"] if kind in rule]


def dashboard():
    with open(f"{ROOT}/deploy/grafana/gatehouse.json") as file:
        return json.load(file)


def dashboard_expressions():
    expressions = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", [])]
    expressions += [note["expr"] for note in dashboard()["annotations"]["list"]]
    return [expression.replace("$__rate_interval", "1m").replace("$instance", ".*") for expression in expressions]


def metrics_in(expression):
    """The names of metrics in an expression."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|without|on|ignoring)\s*\([^)]*\)", " ", bare)
    return {word for word in re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", bare)} - WORDS


class Files(EndToEnd):
    def promtool(self, *arguments):
        done = subprocess.run(["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_promtool_takes_configuration_and_rules(self):
        self.promtool("check", "config", f"{PROMETHEUS}/prometheus.yml")
        self.promtool("check", "rules", "--lint-fatal", *glob.glob(f"{PROMETHEUS}/*.rules.yml"))

    def test_alerts_fire_when_they_should_and_only_then(self):
        self.promtool("test", "rules", f"{ROOT}/tests/prometheus/rules.test.yml")

    def test_every_alert_is_tested_and_has_a_runbook_at_the_place_it_names(self):
        with open(f"{PROMETHEUS}/README.md") as file:
            runbook = file.read()
        with open(f"{ROOT}/tests/prometheus/rules.test.yml") as file:
            tested = file.read()
        paragraphs = dict(re.findall(r"^## (\w+)\n\n(.+?)(?=\n## |\Z)", runbook, re.M | re.S))
        for alert in rules("alert"):
            name = alert["alert"]
            self.assertIn(name, tested)
            self.assertGreater(len(paragraphs.get(name, "")), 100, name)
            self.assertEqual(alert["annotations"]["runbook_url"], f"deploy/prometheus/README.md#{name.lower()}")
            self.assertIn(alert["labels"]["severity"], ("critical", "warning", "info"))
        self.assertEqual(set(paragraphs), {alert["alert"] for alert in rules("alert")})

    def test_grafanas_own_types_take_the_dashboard_and_would_not_take_just_anything(self):
        judges.install()
        self.assertEqual(judges.dashboard_mistakes(f"{ROOT}/deploy/grafana/gatehouse.json"), [])
        spoiled = dashboard()
        number = next(i for i, panel in enumerate(spoiled["panels"]) if panel["type"] == "timeseries")
        panel = spoiled["panels"][number]
        panel["options"]["legend"]["placement"] = "above"
        panel["fieldConfig"]["defaults"]["custom"]["lineWdith"] = 1
        del panel["targets"][0]["expr"]
        del spoiled["panels"][0]["collapsed"]
        spoiled["refresh"] = 30
        spoiled["panels"].append({**panel, "title": "Cloud", "type": "wordcloud"})
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(spoiled, file)
            file.flush()
            mistakes = judges.dashboard_mistakes(file.name)
        for title in (panel["title"], spoiled["panels"][0]["title"], "the dashboard", "Cloud"):
            self.assertTrue(any(mistake.startswith(title + ": ") for mistake in mistakes), (title, mistakes))
        for word in ('"above"', '"lineWdith"', "'expr'"):
            self.assertTrue(any(word in mistake for mistake in mistakes), (word, mistakes))

    def test_no_two_panels_of_the_dashboard_share_a_place(self):
        taken = set()
        for panel in dashboard()["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            self.assertLessEqual(place["x"] + place["w"], 24)
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells


class Live(EndToEnd):
    """One Gatehouse on which everything has happened once, and a Prometheus with the files as they are shipped."""

    @classmethod
    def setUpClass(cls):
        def play(connection):
            while (request := connection.read_request()).target != "/break":
                connection.reply(b"ok", status="500 Oh" if request.target == "/fail" else "200 OK")
        cls.app = cls.enterClassContext(ScriptedUpstream(play))
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        with open(f"{cls.folder}/backup", "w"):
            pass
        cls.proxy = cls.start_shared(Gatehouse({
            "upstream": {"url": cls.app.url, "circuit": {"failures": 1000}},
            "health": {"checks": [{"name": "backup", "type": "file_age", "path": f"{cls.folder}/backup", "maximum_age": "1d"},
                                  {"name": "port", "type": "tcp", "url": "tcp://%s:%d" % cls.app.address}]},
            "rate_limits": [{"name": "login", "key": "client_address", "quota": 1000, "window": "1m"}],
            }, tls=True))
        for path in ("/", "/fail", "/break"):
            cls.proxy.fetch("GET", path)
        with cls.proxy.connect() as connection:
            connection.send("nonsense\r\n\r\n")
            connection.until_closed()
        fetch(cls.proxy.https, "/", tls=trusting())
        try:
            fetch(cls.proxy.https, "/", tls=trusting(minimum=ssl.TLSVersion.TLSv1, maximum=ssl.TLSVersion.TLSv1_1))
        except (ssl.SSLError, ConnectionError):
            pass

        config = load(f"{PROMETHEUS}/prometheus.yml")
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [f"{PROMETHEUS}/{name}" for name in config["rule_files"]]
        config["scrape_configs"][0]["static_configs"][0]["targets"] = ["%s:%d" % cls.proxy.admin]
        with open(f"{cls.folder}/prometheus.yml", "w") as file:
            json.dump(config, file)
        cls.port = free_port()
        cls.prometheus = cls.start_shared(Process([
            "prometheus", f"--config.file={cls.folder}/prometheus.yml", f"--storage.tsdb.path={cls.folder}/data", "--log.level=warn",
            f"--web.listen-address=127.0.0.1:{cls.port}", "--enable-feature=exemplar-storage"]))
        cls.prometheus.wait_until_it_listens(("127.0.0.1", cls.port))
        wait_until(lambda: fetch(("127.0.0.1", cls.port), "/-/ready").status == 200, "Prometheus is ready")

    def ask(self, path, **query):
        answer = fetch(("127.0.0.1", self.port), f"/api/v1/{path}?{urllib.parse.urlencode(query)}").json()
        self.assertEqual(answer["status"], "success", answer)
        self.assertFalse(answer.get("warnings"), answer)
        return answer["data"]

    def query(self, expression):
        return self.ask("query", query=expression)["result"]

    def test_it_scrapes_without_a_warning(self):
        wait_until(lambda: self.query('up{job="gatehouse"} == 1'), "the target is up")
        wait_until(lambda: all(rule["health"] == "ok" for group in self.ask("rules")["groups"] for rule in group["rules"]), "each rule was evaluated")
        for target in self.ask("targets")["activeTargets"]:
            self.assertEqual((target["health"], target["lastError"]), ("up", ""))
        self.assertEqual(self.prometheus.stderr, [])

    def test_each_metric_that_rules_and_dashboard_name_exists(self):
        wait_until(lambda: self.query('up{job="gatehouse"} == 1'), "the target is up")
        scraped = {key.partition("{")[0] for key in self.proxy.metrics()} | {"up"}
        recorded = {rule["record"] for rule in rules("record")}
        for expression in [rule["expr"] for rule in rules("expr")] + dashboard_expressions():
            self.assertTrue(metrics_in(expression), expression)
            for name in metrics_in(expression):
                self.assertIn(name, recorded if ":" in name else scraped, expression)

    def test_the_dashboard_asks_nothing_that_prometheus_does_not_understand(self):
        for expression in dashboard_expressions():
            self.query(expression)

    def test_the_numbers_in_prometheus_are_those_of_the_scrape(self):
        for name in ("gatehouse_connections_limit", "gatehouse_health_check_up", "gatehouse_requests_rejected_total"):
            wait_until(lambda: sum(float(sample["value"][1]) for sample in self.query(name)) == self.proxy.metric(name), name)
