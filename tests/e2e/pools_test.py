"""Several addresses of one app, and several apps behind one Gatehouse: requests are shared out, and an address that fails costs none of
those that can be asked again."""
import signal
import tempfile
import threading

from support.apps import Node, ScriptedUpstream, Uvicorn
from support.case import EndToEnd
from support.gatehouse import run_to_end
from support.http_client import fetch
from support.ports import free_port
from support.traffic import Traffic
from support.waiting import wait_until

KILLS = 20
FULL_RECORDS = {"access": {"fields": "full"}}


def host_and_port(address):
    return "%s:%d" % address


class Pool(EndToEnd):
    """Gatehouse in front of several addresses."""

    def serve(self, *urls, ready="/readyz", workers=1, **upstream):
        return self.gatehouse({"upstream": {"urls": list(urls), **upstream}, "workers": workers, "log": FULL_RECORDS}, ready=ready)

    def answering(self, text, wait=None):
        """An app that answers every request with that text."""
        def play(connection):
            while True:
                request = connection.read_request()
                if wait and request.target.startswith("/slow"):
                    wait.wait(30)
                connection.reply(text)
        return self.start(ScriptedUpstream(play))

    def closing(self):
        """An app that takes each request and closes the connection without an answer."""
        return self.start(ScriptedUpstream(lambda connection: connection.read_request()))

    def served_by(self, proxy, address):
        return len(proxy.records(upstream_address=address))

    def healthy(self, proxy, address):
        return proxy.metric("gatehouse_upstream_address_healthy", address=address)


class Balancing(Pool):
    def test_two_apps_share_the_requests(self):
        apps = [self.start(Uvicorn()), self.start(Node())]
        proxy = self.serve(*(app.url for app in apps), workers=2)
        with Traffic(proxy, streams=False) as traffic:
            traffic.wait_for(100)
        served = [wait_until(lambda app=app: self.served_by(proxy, host_and_port(app.address)), "its records") for app in apps]
        self.assertGreater(min(served), sum(served) / 4, served)

    def test_a_request_goes_where_the_fewest_are_in_flight(self):
        go_on = threading.Event()
        apps = [self.answering(b"first", go_on), self.answering(b"second", go_on)]
        proxy = self.serve(*(app.url for app in apps))
        held = []
        def ask():
            held.append(proxy.fetch("GET", "/slow").body)
        threading.Thread(target=ask).start()
        busy = wait_until(lambda: next((app for app in apps if any(r.target == "/slow" for r in app.requests)), None), "the slow request arrived")
        free = b"second" if busy is apps[0] else b"first"
        self.assertEqual([proxy.fetch("GET", f"/quick/{i}").body for i in range(6)], [free] * 6)
        go_on.set()
        wait_until(lambda: held, "the slow answer")
        self.assertEqual({proxy.fetch("GET", f"/after/{i}").body for i in range(6)}, {b"first", b"second"})

    def test_unix_sockets_and_names_are_addresses_too(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        apps = [self.start(Uvicorn(uds=f"{folder}/one.sock")), self.start(Uvicorn(uds=f"{folder}/two.sock")), self.start(Node())]
        named = f"localhost:{apps[2].address[1]}"
        proxy = self.serve(apps[0].url, apps[1].url, f"http://{named}")
        for i in range(12):
            self.assertEqual(proxy.fetch("GET", f"/echo/{i}").status, 200)
        for address in (f"unix:{folder}/one.sock", f"unix:{folder}/two.sock", named):
            wait_until(lambda: self.served_by(proxy, address) >= 2, address)

    def test_a_reload_keeps_the_connections_to_an_address_that_stays(self):
        apps = [self.answering(b"stays"), self.answering(b"goes"), self.answering(b"comes")]
        proxy = self.serve(apps[0].url, apps[1].url)
        for _ in range(8):
            self.assertEqual(proxy.fetch("GET", "/").status, 200)
        self.assertEqual(apps[0].used_connections(), 1)
        with open(proxy.config_file) as file:
            text = file.read().replace(apps[1].url, apps[2].url)
        with open(proxy.config_file, "w") as file:
            file.write(text)
        self.assertEqual(run_to_end("reload", "--config", proxy.config_file)[0], 0)
        before = len(apps[1].requests)
        self.assertEqual({proxy.fetch("GET", "/").body for _ in range(8)}, {b"stays", b"comes"})
        self.assertEqual(apps[0].used_connections(), 1)
        self.assertEqual(len(apps[1].requests), before)


class Failing(Pool):
    def test_an_app_that_dies_under_load_costs_no_request_and_gets_some_again_when_it_is_back(self):
        # Node sends a small answer in one piece: of one that has begun when the app dies, nothing could be saved.
        ports = [free_port(), free_port()]
        apps = [self.start(Uvicorn(port=ports[0])), self.start(Node(port=ports[1]))]
        proxy = self.serve(*(app.url for app in apps), workers=2)
        dying = host_and_port(apps[1].address)
        with Traffic(proxy, streams=False) as traffic:
            wait_until(lambda: self.served_by(proxy, dying) > 10, "both get requests")
            apps[1].stop(signal.SIGKILL)
            traffic.wait_for(100)
            self.assertEqual(fetch(proxy.admin, "/readyz").status, 200)
            before = self.served_by(proxy, dying)
            self.start(Node(port=ports[1]))
            wait_until(lambda: self.served_by(proxy, dying) > before + 10, "it gets requests again")
        self.assertGreaterEqual(proxy.metric("gatehouse_upstream_retries_total"), 1)

    def test_a_lost_request_is_asked_elsewhere_if_it_can_be_asked_again(self):
        bad, good = self.closing(), self.answering(b"good")
        proxy = self.serve(bad.url, good.url)
        self.assertEqual([proxy.fetch("GET", f"/{i}").status for i in range(4)], [200] * 4)
        self.assertGreaterEqual(len(bad.requests), 1)
        retried = proxy.record(url_path=bad.requests[0].target)
        self.assertEqual((retried["upstream.address"], retried["gatehouse.upstream_attempts"]), (host_and_port(good.address), 2))

    def test_a_post_is_never_asked_twice_unless_nothing_of_it_was_sent(self):
        bad, good = self.closing(), self.answering(b"good")
        proxy = self.serve(bad.url, good.url)
        statuses = [proxy.fetch("POST", f"/lost/{i}", body=b"x").status for i in range(20)]
        self.assertIn(502, statuses)
        self.assertEqual(len(bad.requests), statuses.count(502))
        self.assertEqual(len(bad.requests) + len(good.requests), 20)
        # It fails faster than the other answers and would look idle; it is left aside instead.
        self.assertLess(statuses.count(502), 10)
        refusing = f"http://127.0.0.1:{free_port()}"
        proxy = self.serve(refusing, good.url)
        bodies = [b"small", b"x" * 100_000]
        for i in range(6):
            self.assertEqual(proxy.fetch("POST", f"/refused/{i}", body=bodies[i % 2]).status, 200)
        self.assertEqual([r.body for r in good.requests if r.target.startswith("/refused")], bodies * 3)

    def test_the_budget_bounds_how_much_is_asked_again(self):
        apps = [self.closing(), self.closing()]
        proxy = self.serve(*(app.url for app in apps), retry={"budget": 0.1, "minimum": 0})
        for i in range(100):
            self.assert_problem(proxy.fetch("GET", f"/{i}"), 502, "upstream_closed_before_response")
        tries = sum(len(app.requests) for app in apps)
        self.assertGreater(tries, 100)
        self.assertLessEqual(tries, 110)
        self.assertEqual(proxy.metric("gatehouse_upstream_retries_total"), tries - 100)
        self.assertEqual(proxy.metric("gatehouse_upstream_retries_refused_total"), 200 - tries)

    def test_an_app_that_fails_its_checks_gets_nothing_while_another_is_well(self):
        apps, well = [], {}
        for number in range(2):
            well[number] = True
            def play(connection, number=number):
                while True:
                    request = connection.read_request()
                    good = well[number] or request.target != "/healthz"
                    connection.reply(b"%d" % number, status="200 OK" if good else "503 Service Unavailable")
            apps.append(self.start(ScriptedUpstream(play)))
        proxy = self.serve(*(app.url for app in apps), health={"path": "/healthz", "interval": "100ms", "fall": 1})
        self.assertEqual({proxy.fetch("GET", "/").body for _ in range(6)}, {b"0", b"1"})
        well[0] = False
        wait_until(lambda: self.healthy(proxy, host_and_port(apps[0].address)) == 0, "the check fails")
        self.assertEqual({proxy.fetch("GET", "/").body for _ in range(6)}, {b"1"})
        self.assertEqual(fetch(proxy.admin, "/readyz").status, 200)
        self.assertEqual(fetch(proxy.admin, "/health").json()["status"], "warn")
        well[1] = False
        wait_until(lambda: fetch(proxy.admin, "/readyz").status == 503, "no address is well")
        # Then all are tried: a check may be wrong, an answer never is.
        self.assertEqual({proxy.fetch("GET", "/").body for _ in range(6)}, {b"0", b"1"})
        well[0] = well[1] = True
        wait_until(lambda: fetch(proxy.admin, "/health").json()["status"] == "pass", "all is well again")

    def test_each_address_has_a_circuit_of_its_own(self):
        bad, good = self.closing(), self.answering(b"good")
        proxy = self.serve(bad.url, good.url, circuit={"failures": 2, "open_for": "1m"}, retry={"budget": 1})
        wait_until(lambda: proxy.fetch("GET", "/").status == 200 and proxy.metric("gatehouse_upstream_circuit_workers", state="open") == 1,
                   "one circuit is open")
        self.assertEqual(proxy.metric("gatehouse_upstream_circuit_workers", state="closed"), 1)
        asked = len(bad.requests)
        self.assertEqual([proxy.fetch("GET", "/").status for _ in range(10)], [200] * 10)
        self.assertEqual(len(bad.requests), asked)

    def test_requests_wait_while_no_address_is_there(self):
        ports = [free_port(), free_port()]
        proxy = self.serve(*(f"http://127.0.0.1:{port}" for port in ports), ready="/livez", wait_for_app="60s")
        answers = []
        def ask(number):
            answers.append(proxy.fetch("POST" if number % 2 else "GET", f"/echo/{number}").status)
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        wait_until(lambda: proxy.metric("gatehouse_upstream_waits_total") == 6, "all wait")
        self.start(Uvicorn(port=ports[1]))
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [200] * 6)


class Restarting(Pool):
    def test_twenty_kills_of_the_only_app_fail_no_request_that_can_be_asked_again(self):
        """GET alone: what a killed app had taken of a POST is lost, and only the client can tell whether to send it again. And small answers
        alone, which the app sends in one piece: one that has begun is lost too."""
        port = free_port()
        app = self.start(Node(port=port))
        proxy = self.gatehouse({"upstream": {"url": app.url, "wait_for_app": "60s", "health": {"path": "/echo/health", "interval": "1s"}}, "workers": 2, "log": FULL_RECORDS}, tls=True)
        with Traffic(proxy, streams=False) as traffic:
            for _ in range(KILLS):
                waits = proxy.metric("gatehouse_upstream_waits_total")
                app.stop(signal.SIGKILL)
                wait_until(lambda: proxy.metric("gatehouse_upstream_waits_total") > waits or traffic.failures, "requests wait")
                app = self.start(Node(port=port))
                traffic.wait_for(20)
        self.assertEqual(traffic.failures, [])


class NamedPools(Pool):
    def test_the_active_pool_serves_and_is_told_apart(self):
        blue, green = self.answering(b"blue"), self.answering(b"green")
        proxy = self.gatehouse({"upstream": {"pools": [{"name": "blue", "url": blue.url}, {"name": "green", "urls": [green.url]}], "active": "green"},
                                "workers": 2, "log": FULL_RECORDS})
        self.assertEqual({proxy.fetch("GET", f"/{i}").body for i in range(5)}, {b"green"})
        self.assertEqual(proxy.record(url_path="/0")["upstream.pool"], "green")
        self.assertEqual(proxy.metric("gatehouse_upstream_pool_share_ratio", pool="green"), 1)
        self.assertEqual(proxy.metric("gatehouse_upstream_pool_share_ratio", pool="blue"), 0)
        self.assertEqual(proxy.metric("gatehouse_upstream_pool_requests_total", pool="green"), 5)
        self.assertEqual(proxy.metric("gatehouse_upstream_pool_duration_seconds_count", pool="green"), 5)
        self.assertEqual(proxy.metric("gatehouse_upstream_pool_failures_total"), 0)
        for pool, app in (("blue", blue), ("green", green)):
            wait_until(lambda: proxy.metric("gatehouse_upstream_address_healthy", pool=pool, address=host_and_port(app.address)) == 1, pool)

    def test_what_a_pool_does_not_answer_well_is_counted(self):
        def play(connection):
            while True:
                request = connection.read_request()
                if request.target == "/breaks":
                    return
                if request.target == "/short":
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"half")
                    return
                connection.reply(b"", status="500 Internal Server Error" if request.target == "/fails" else "200 OK")
        app = self.start(ScriptedUpstream(play))
        proxy = self.gatehouse({"upstream": {"pools": [{"name": "only", "url": app.url}]}, "workers": 1})
        failures = lambda: proxy.metric("gatehouse_upstream_pool_failures_total", pool="only")
        for target, status, failed in (("/good", 200, 0), ("/fails", 500, 1), ("/breaks", 502, 2)):
            self.assertEqual(proxy.fetch("GET", target).status, status)
            self.assertEqual(failures(), failed, target)
        with proxy.connect() as client:
            client.request("GET", "/short")
            with self.assertRaises(ConnectionError):
                client.response("GET")
        wait_until(lambda: failures() == 3, "an answer that broke off")
        self.assertEqual(proxy.metric("gatehouse_upstream_pool_requests_total", pool="only"), 4)

    def test_the_pool_that_serves_decides_whether_gatehouse_is_ready(self):
        blue = self.answering(b"blue")
        dead = f"http://127.0.0.1:{free_port()}"
        pools = [{"name": "blue", "url": blue.url}, {"name": "green", "url": dead}]
        self.gatehouse({"upstream": {"pools": pools, "active": "blue"}})
        proxy = self.gatehouse({"upstream": {"pools": pools, "active": "green"}}, ready="/livez")
        wait_until(lambda: "no address of the pool green is healthy" in fetch(proxy.admin, "/health").body.decode(), "it is told")
        self.assertEqual(fetch(proxy.admin, "/readyz").status, 503)

    def test_a_pool_that_goes_away_leaves_its_requests_to_the_active_one(self):
        blue, green = self.answering(b"blue"), self.answering(b"green")
        proxy = self.gatehouse({"upstream": {"pools": [{"name": "blue", "url": blue.url}, {"name": "green", "url": green.url}], "active": "blue"}})
        self.assertEqual(proxy.fetch("GET", "/").body, b"blue")
        with open(proxy.config_file) as file:
            text = file.read()
        # What serves stays so over a reload, whatever the file says of starts.
        with open(proxy.config_file, "w") as file:
            file.write(text.replace('"active": "blue"', '"active": "green"'))
        self.assertEqual(run_to_end("reload", "--config", proxy.config_file)[0], 0)
        self.assertEqual(proxy.fetch("GET", "/").body, b"blue")
        with open(proxy.config_file, "w") as file:
            file.write(text.replace('"name": "blue"', '"name": "azure"').replace('"active": "blue"', '"active": "green"'))
        self.assertEqual(run_to_end("reload", "--config", proxy.config_file)[0], 0)
        self.assertEqual(proxy.fetch("GET", "/").body, b"green")
