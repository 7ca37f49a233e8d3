"""Traffic moves from one pool of the app to another under load, and back by itself where the new one is worse."""
import json
import os
import signal
import threading
import time

from support.apps import Release, Uvicorn
from support.case import EndToEnd
from support.gatehouse import run_to_end
from support.http_client import Connection, fetch
from support.ports import free_port
from support.traffic import Traffic
from support.waiting import wait_until


class Sided(Traffic):
    """Counts who answered. `forgiving`: a status of 500 is what the test is about."""

    def __init__(self, gatehouse, forgiving=False, **options):
        super().__init__(gatehouse, **options)
        self.forgiving = forgiving
        self.by = {}

    def _count(self, response):
        release = response.header("X-Release")
        with self._lock:
            self.by[release] = self.by.get(release, 0) + 1
        if self.forgiving and response.status == 500:
            with self._lock:
                self.served += 1
            return
        super()._count(response)


class Switching(EndToEnd):
    def begin(self, green=None, tls=False, upstream=None, **config):
        self.blue = self.start(Release("blue"))
        self.green = self.start(Release("green", **(green or {})))
        self.upstream = {"pools": [{"name": "blue", "url": self.blue.url}, {"name": "green", "url": self.green.url}], "active": "blue",
                         "health": {"path": "/healthz", "interval": "500ms"}, **(upstream or {})}
        self.proxy = self.gatehouse({"upstream": self.upstream, "workers": 2, **config}, tls=tls)

    def switch(self, *arguments):
        code, out, errors = run_to_end("switch", "--config", self.proxy.config_file, *map(str, arguments), patience=120)
        return code, out, errors

    def moved(self, *arguments):
        """A switch that is to succeed; what it prints."""
        code, out, errors = self.switch(*arguments)
        self.assertEqual(code, 0, (out, errors))
        return out

    def state(self):
        return fetch(self.proxy.admin, "/switch").json()

    def ask(self, body, headers=()):
        return fetch(self.proxy.admin, "/switch", "POST", headers, body if isinstance(body, bytes) else json.dumps(body).encode())

    def begin_watching(self, **order):
        """A switch under way, in a thread of its own: a function that waits for its answer."""
        answers = []
        thread = threading.Thread(target=lambda: answers.append(self.ask({"to": "green", "percent": 50, "watch": "60s", **order})))
        thread.start()
        self.addCleanup(thread.join)
        wait_until(lambda: self.state().get("running", {}).get("step") == "watching", "the switch is being watched")
        def answer():
            thread.join(60)
            return answers[0]
        return answer

    def releases(self, count=20):
        """Who answers the next requests."""
        return {self.proxy.fetch("GET", "/").header("X-Release") for _ in range(count)}

    def assert_all_on(self, release):
        self.assertEqual(self.releases(), {release})
        self.assertEqual(self.state()["traffic"], {release: 100})

    def write(self, **changes):
        with open(self.proxy.config_file) as file:
            config = json.load(file)
        config.update(changes)
        with open(self.proxy.config_file + ".new", "w") as file:
            json.dump(config, file)
        os.rename(self.proxy.config_file + ".new", self.proxy.config_file)
        code, out, errors = run_to_end("reload", "--config", self.proxy.config_file)
        self.assertEqual(code, 0, errors)
        return errors


class Switch(Switching):
    def test_everything_moves_there_and_back_with_no_failed_request_and_no_broken_stream(self):
        self.begin(tls=True)
        with Sided(self.proxy) as traffic:
            for release in ("green", "blue", "green"):
                out = self.moved("--to", release)
                self.assertIn(f"{release} has all the traffic\n", out)
                self.assertIn(f"traffic now: {release} 100 %", out)
                self.assert_all_on(release)
                traffic.wait_for(100)
        self.assertGreater(traffic.by["blue"], 20)
        self.assertGreater(traffic.by["green"], 100)
        self.assertEqual(set(traffic.by), {"blue", "green"})
        self.assertEqual(self.proxy.metric("gatehouse_upstream_switches_total", result="moved"), 3)
        self.assertEqual(self.proxy.metric("gatehouse_upstream_pool_share_ratio", pool="green"), 1)

    def test_a_pool_that_did_well_keeps_the_traffic_after_the_watch(self):
        self.begin(tls=True)
        with Sided(self.proxy) as traffic:
            out = self.moved("--to", "green", "--percent", 50, "--watch", "3s", "--max-error-ratio", "1%", "--max-p95", "5s")
            self.assertIn("green has 50 % of the traffic; it was watched for 3s", out)
            out = self.moved("--to", "green", "--watch", "3s", "--max-error-ratio", "0.01", "--max-p95", "5s")
            self.assertIn("green has all the traffic; it was watched for 3s", out)
            self.assertIn("blue, before", out)
            traffic.wait_for(50)
        self.assert_all_on("green")

    def test_a_pool_that_is_down_gets_nothing(self):
        self.begin()
        self.green.stop()
        with Sided(self.proxy, streams=False) as traffic:
            code, out, errors = self.switch("--to", "green")
            self.assertEqual(code, 1)
            self.assertRegex(out, "green is not well, nothing has moved: .*does not accept connections")
            traffic.wait_for(50)
        self.assertEqual(set(traffic.by), {"blue"})
        self.assert_all_on("blue")
        self.assertEqual(self.proxy.metric("gatehouse_upstream_switches_total", result="refused"), 1)
        # That it is down concerns nobody but whoever wants to go there.
        self.assertEqual(fetch(self.proxy.admin, "/readyz").status, 200)

    def test_a_pool_of_which_one_address_is_down_gets_nothing(self):
        self.begin()
        dead = f"http://127.0.0.1:{free_port()}"
        self.write(upstream={**self.upstream, "pools": [{"name": "blue", "url": self.blue.url}, {"name": "green", "urls": [self.green.url, dead]}]})
        code, out, _ = self.switch("--to", "green")
        self.assertEqual(code, 1)
        self.assertIn(dead.removeprefix("http://"), out)
        self.assert_all_on("blue")

    def test_a_tenth_is_about_a_tenth_until_told_otherwise(self):
        self.begin()
        self.assertIn("green has 10 % of the traffic", self.moved("--to", "green", "--percent", 10))
        sides = {"blue": 0, "green": 0}
        with self.proxy.connect() as one, self.proxy.connect() as two:
            for connection in (one, two) * 1000:
                sides[connection.fetch("GET", "/echo").header("X-Release")] += 1
        # 2000 tries at one in ten: 200 within six standard deviations.
        self.assertTrue(120 <= sides["green"] <= 280, sides)
        self.assertEqual(self.state()["traffic"], {"blue": 90, "green": 10})
        self.assertIn("traffic: blue 90 %, green 10 %", fetch(self.proxy.admin, "/health").json()["notes"])
        self.moved("--to", "green")
        self.assert_all_on("green")

    def test_clients_that_keep_a_cookie_stay_where_they_are(self):
        self.begin(upstream={"sticky": {}})
        self.moved("--to", "green", "--percent", 50)
        cookies = {}
        for _ in range(200):
            answer = self.proxy.fetch("GET", "/")
            cookies[answer.header("X-Release")] = answer.header("Set-Cookie").partition(";")[0]
        self.assertEqual(set(cookies), {"blue", "green"})
        for release, cookie in cookies.items():
            for _ in range(50):
                self.assertEqual(self.proxy.fetch("GET", "/", [("Cookie", cookie)]).header("X-Release"), release)
        self.moved("--to", "green")
        self.assertEqual(self.proxy.fetch("GET", "/", [("Cookie", cookies["blue"])]).header("X-Release"), "green")

    def test_the_app_of_the_old_pool_can_be_stopped_when_the_verb_returns(self):
        self.begin(tls=True)
        with Sided(self.proxy, streams=False) as traffic:
            self.moved("--to", "green")
            self.blue.send_signal(signal.SIGKILL)
            self.blue.wait()
            traffic.wait_for(300)
            self.assertEqual(fetch(self.proxy.admin, "/readyz").status, 200)
        self.assert_all_on("green")

    def test_requests_that_the_old_pool_is_still_answering_are_told(self):
        self.begin()
        with self.proxy.connect() as held:
            held.request("GET", "/held/here")
            wait_until(lambda: self.blue.fetch("GET", "/counts").json().get("held_here"), "the request has arrived")
            self.assertIn("note: blue is still answering 1 request that it got before", self.moved("--to", "green"))
            self.assertEqual(self.proxy.metric("gatehouse_upstream_pool_requests_active", pool="blue"), 1)
            self.blue.fetch("GET", "/release/here")
            self.assertEqual(held.response().status, 200)
        wait_until(lambda: self.proxy.metric("gatehouse_upstream_pool_requests_active", pool="blue") == 0, "nothing is left on blue")

    def test_after_a_cold_start_the_active_pool_of_the_file_serves(self):
        self.begin()
        self.moved("--to", "green")
        self.proxy.finish()
        self.begin()
        self.assert_all_on("blue")


class Rollback(Switching):
    def assert_rolled_back(self, report, why):
        self.assertEqual(report["result"], "rolled_back", report)
        self.assertRegex(report["message"], "^the traffic is back on blue: green did worse than it may: " + why)
        self.assertEqual(report["traffic"], {"blue": 100})
        self.assert_all_on("blue")
        self.assertEqual(self.proxy.metric("gatehouse_upstream_switches_total", result="rolled_back"), 1)
        wait_until(lambda: any("the traffic is back on blue" in line for line in self.proxy.stdout), "the log tells")

    def test_rehearsal_a_pool_that_fails_one_request_in_ten_loses_the_traffic_within_the_watch(self):
        self.begin(green={"fails": 10}, tls=True)
        with Sided(self.proxy, forgiving=True) as traffic:
            began = time.monotonic()
            code, out, errors = self.switch("--to", "green", "--percent", 50, "--watch", "60s", "--max-error-ratio", "1%", "--max-p95", "5s")
            self.assertLess(time.monotonic() - began, 60)
            self.assertEqual(code, 1)
            self.assertRegex(out, r"the traffic is back on blue: green did worse than it may: \d+ of \d+ requests failed \(\d.*%\), at most 1 % may")
            self.assertRegex(out, r"(?m)^  green +\d+ +\d.* %")
            self.assertIn("watching green for 1m", errors)
            self.assertGreater(traffic.by["green"], 20)
            sent = traffic.by["green"]
            traffic.wait_for(200)
            # Those that were under way at that moment.
            self.assertLess(traffic.by["green"], sent + 10)
        self.assert_rolled_back(self.state()["last"], r"\d+ of \d+ requests failed")

    def test_a_pool_far_worse_than_the_other_goes_back_without_any_limit(self):
        self.begin(green={"fails": 4})
        with Sided(self.proxy, forgiving=True, streams=False) as traffic:
            traffic.wait_for(100)
            code, out, _ = self.switch("--to", "green", "--watch", "60s", "--json")
            self.assertEqual(code, 1)
            report = json.loads(out)
            self.assert_rolled_back(report, r"\d+ of \d+ requests failed \(.*\), far more than the 0 % of the other pool")
        before, after = report["watched"]
        self.assertEqual((before["pool"], before["before"], before["failures"], after["pool"]), ("blue", True, 0, "green"))
        self.assertGreater(after["error_ratio"], 0.1)

    def test_a_slow_pool_goes_back(self):
        self.begin(green={"delay": 0.5})
        with Sided(self.proxy, streams=False):
            code, out, _ = self.switch("--to", "green", "--percent", 50, "--watch", "60s", "--max-p95", "300ms", "--min-requests", 5, "--json")
        self.assertEqual(code, 1)
        self.assert_rolled_back(json.loads(out), "its 95th percentile is .*, at most 300 ms may be")

    def test_a_pool_that_answers_nothing_goes_back_and_what_it_has_is_left_to_end(self):
        self.begin(green={"delay": 15})
        clients = []
        for _ in range(30):
            clients.append(self.enterContext(Connection(self.proxy.http, timeout=60)))
        answer = self.begin_watching(percent=100, max_p95="300ms")
        began = time.monotonic()
        for client in clients:
            client.request("GET", "/")
        self.assert_rolled_back(answer().json(), "its 95th percentile is 10 s or more")
        self.assertLess(time.monotonic() - began, 14, "before it answered anything")
        for client in clients:
            response = client.response()
            self.assertEqual((response.status, response.header("X-Release")), (200, "green"))

    def test_a_pool_whose_health_checks_fail_goes_back(self):
        self.begin(upstream={"health": {"path": "/healthz", "interval": "200ms", "fall": 2}})
        answer = self.begin_watching()
        self.green.stop()
        self.assert_rolled_back(answer().json(), "its health checks fail")

    def test_traffic_does_not_go_back_to_a_pool_that_is_down(self):
        self.begin(green={"fails": 4})
        answer = self.begin_watching(percent=100, watch="8s", max_error_ratio="1%")
        self.blue.stop()
        wait_until(lambda: self.proxy.metric("gatehouse_upstream_address_healthy", pool="blue") == 0, "blue is known to be down")
        for _ in range(40):
            self.proxy.fetch("GET", "/")
        report = answer().json()
        self.assertEqual((report["result"], report["traffic"]), ("moved", {"green": 100}))
        self.assertRegex(report["notes"][0], "^green did worse than it may .*, but blue is not well: the traffic stayed$")

    def test_few_requests_decide_nothing_and_the_report_says_so(self):
        self.begin(green={"fails": 1})
        answer = self.begin_watching(percent=100, watch="2s", max_error_ratio="1%")
        for _ in range(3):
            self.assertEqual(self.proxy.fetch("GET", "/").status, 500)
        report = answer().json()
        self.assertEqual(report["result"], "moved")
        self.assertEqual(report["notes"], ["3 requests reached green while it was watched, too few to judge it by: 20 are needed"])


class Abort(Switching):
    def test_a_switch_under_way_is_aborted_and_both_are_told(self):
        self.begin(tls=True)
        with Sided(self.proxy) as traffic:
            answer = self.begin_watching()
            self.assertIn("the switch to green was aborted; blue has all the traffic", self.moved("--abort"))
            self.assertEqual((answer().status, answer().json()["result"]), (409, "aborted"))
            traffic.wait_for(50)
            self.assert_all_on("blue")

    def test_a_standing_split_goes_back(self):
        self.begin()
        self.moved("--to", "green", "--percent", 30)
        self.assertIn("blue has all the traffic again", self.moved("--abort"))
        self.assert_all_on("blue")
        code, out, _ = self.switch("--abort")
        self.assertEqual((code, out.splitlines()[0]), (1, "there is nothing to go back from: blue has all the traffic"))

    def test_a_second_switch_is_refused_and_the_first_goes_on(self):
        self.begin()
        answer = self.begin_watching()
        code, out, _ = self.switch("--to", "blue")
        self.assertEqual(code, 1)
        self.assertIn("a switch to green is under way; wait for its end, or --abort it", out)
        self.assertIn("a switch to green is under way: watching", self.moved())
        self.assertEqual(self.state()["traffic"], {"blue": 50, "green": 50})
        self.moved("--abort")
        self.assertEqual(answer().json()["result"], "aborted")


class Surviving(Switching):
    def test_reloads_leave_shares_and_a_watch_alone(self):
        self.begin(tls=True)
        with Sided(self.proxy) as traffic:
            self.moved("--to", "green", "--percent", 30)
            for number in range(5):
                self.write(limits={"body": f"{number + 1}MiB"})
                self.assertEqual(self.state()["traffic"], {"blue": 70, "green": 30})
            answer = self.begin_watching(percent=100)
            for number in range(5):
                self.write(limits={"body": f"{number + 6}MiB"})
            # Another address of the pool that is being watched, which no check has seen yet.
            second = self.start(Release("green"))
            self.upstream["pools"][1] = {"name": "green", "urls": [second.url]}
            self.write(upstream=self.upstream)
            self.assertEqual(self.state()["running"]["step"], "watching")
            self.moved("--abort")
            self.assertEqual(answer().json()["result"], "aborted")
            self.moved("--to", "green")
            notes = self.write(upstream={**self.upstream, "active": "green"})
            self.assertIn("`gatehouse switch` moves the traffic now", notes)
            traffic.wait_for(50)
        self.assert_all_on("green")

    def test_a_reload_without_the_new_pool_moves_its_traffic_back(self):
        self.begin(tls=True)
        with Sided(self.proxy, streams=False) as traffic:
            answer = self.begin_watching()
            traffic.wait_for(50)
            self.write(upstream={**self.upstream, "pools": self.upstream["pools"][:1]})
            self.assertEqual(answer().json()["result"], "rolled_back")
            self.assertIn("the configuration no longer has the pool green: blue has all the traffic", answer().json()["message"])
            traffic.wait_for(50)
            self.assert_all_on("blue")

    def test_a_reload_without_the_old_pool_leaves_the_new_one_all_the_traffic(self):
        self.begin()
        with Sided(self.proxy, streams=False) as traffic:
            self.moved("--to", "green", "--percent", 30)
            self.write(upstream={**self.upstream, "pools": self.upstream["pools"][1:], "active": "green"})
            traffic.wait_for(50)
            self.assert_all_on("green")

    def test_an_upgrade_takes_the_shares_along_and_waits_for_a_watch(self):
        self.begin(tls=True)
        with Sided(self.proxy, may_close=True, streams=False) as traffic:
            answer = self.begin_watching()
            code, _, errors = run_to_end("upgrade", "--config", self.proxy.config_file)
            self.assertEqual(code, 1)
            self.assertIn("a switch of traffic is under way: wait for its end, or abort it", errors)
            self.moved("--abort")
            self.assertEqual(answer().json()["result"], "aborted")
            self.moved("--to", "green", "--percent", 40)
            self.upgrade()
            self.assertEqual(self.state()["traffic"], {"blue": 60, "green": 40})
            self.assertEqual(self.releases(100), {"blue", "green"})
            self.moved("--to", "green")
            self.upgrade()
            traffic.wait_for(50)
            self.assert_all_on("green")
        self.assertEqual(self.proxy.wait(), 0)

    def upgrade(self):
        code, out, errors = run_to_end("upgrade", "--config", self.proxy.config_file, patience=90)
        self.assertEqual((code, errors), (0, ""), self.proxy.output())
        process = json.loads(out)["process"]
        self.addCleanup(end, process)

    def test_a_process_that_ends_tells_whoever_waits(self):
        self.begin()
        answer = self.begin_watching()
        self.proxy.finish()
        self.assertEqual((answer().status, answer().json()["message"]), (409, "Gatehouse is stopping"))


def end(process):
    try:
        os.kill(process, signal.SIGTERM)
    except ProcessLookupError:
        return
    wait_until(lambda: not os.path.exists(f"/proc/{process}") or open(f"/proc/{process}/stat").read().rpartition(")")[2].split()[0] == "Z",
               "the last process ends")


class Asking(Switching):
    """What may be asked, and who may ask."""

    def test_the_verb_alone_says_who_has_the_traffic(self):
        self.begin()
        self.assertEqual(self.moved(), "traffic now: blue 100 %\n")
        self.moved("--to", "green")
        self.assertRegex(self.moved(), r"^traffic now: green 100 %\nthe last switch ended at .*Z: green has all the traffic\n$")
        self.assertEqual(json.loads(self.moved("--json"))["pools"], ["blue", "green"])

    def test_what_is_so_already_is_fine(self):
        self.begin()
        self.assertIn("blue has all the traffic already", self.moved("--to", "blue"))
        self.assertEqual(self.proxy.metric("gatehouse_upstream_switches_total", result="unchanged"), 1)

    def test_wrong_usage_ends_with_two_and_says_what_is_wrong(self):
        self.begin()
        for arguments, words in ((["--to", "green", "--percent", 200], "--percent must be a whole number from 1 to 100"),
                                 (["--to", "green", "--percent", "ten"], "--percent"),
                                 (["--to", "green", "--watch", "120"], "--watch must be a duration with its unit"),
                                 (["--to", "green", "--max-p95", "1s"], "--max-p95 says nothing without watch"),
                                 (["--to", "green", "--watch", "1s", "--max-error-ratio", "3"], "--max-error-ratio must be a part of the requests"),
                                 (["--percent", 10], "--to is missing"),
                                 (["--to", "green", "--abort"], "excludes")):
            code, out, errors = self.switch(*arguments)
            self.assertEqual((code, out), (2, ""), arguments)
            self.assertIn(words, errors)
        self.assert_all_on("blue")

    def test_what_cannot_be_is_refused_with_one(self):
        self.begin()
        code, out, _ = self.switch("--to", "grene")
        self.assertEqual(code, 1)
        self.assertIn("there is no pool of that name; the pools are blue, green", out)

    def test_an_app_without_pools_is_told_what_to_write(self):
        app = self.start(Uvicorn())
        self.proxy = self.gatehouse({"upstream": app.url})
        code, out, _ = self.switch("--to", "green")
        self.assertEqual(code, 1)
        self.assertIn("name several in upstream.pools", out)
        self.assertEqual(self.moved(), "traffic now: app 100 %\n")

    def test_nobody_there_ends_with_two(self):
        self.begin()
        with open(self.proxy.config_file) as file:
            config = json.load(file)
        other = self.proxy.config_file + ".other"
        with open(other, "w") as file:
            json.dump({**config, "admin": {"address": f"127.0.0.1:{free_port()}"}}, file)
        code, _, errors = run_to_end("switch", "--config", other, "--to", "green")
        self.assertEqual(code, 2)
        self.assertIn("nobody listens there", errors)

    def test_no_page_in_a_browser_can_ask(self):
        self.begin()
        for name, value in (("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")):
            self.assertEqual(self.ask({"to": "green"}, [(name, value)]).status, 403)
        answer = fetch(self.proxy.admin, "/switch", "PUT")
        self.assertEqual((answer.status, answer.header("Allow")), (405, "GET, HEAD, POST"))
        self.assert_all_on("blue")

    def test_bodies_that_are_no_order_are_refused(self):
        self.begin()
        for body, words in ((b"", "JSON object"), (b"{", "JSON object"), (b"[1]", "JSON object"), (b"{}", "to is missing"), (b"\xff\x00", "JSON object"),
                            (b'{"to":"green","weight":3}', "the keys are"), (b"[" * 4000, "JSON object")):
            answer = self.ask(body)
            self.assertEqual((answer.status, answer.json()["result"]), (400, "refused"), body)
            self.assertIn(words, answer.json()["message"])
        self.assertEqual(self.ask(b" " * 5000).status, 413)
        with Connection(self.proxy.admin) as connection:
            connection.send("POST /switch HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.send(b"1000\r\n" + b" " * 4096 + b"\r\n1000\r\n" + b" " * 4096 + b"\r\n0\r\n\r\n")
            self.assertEqual(connection.response("POST").status, 413)
        self.assert_all_on("blue")
