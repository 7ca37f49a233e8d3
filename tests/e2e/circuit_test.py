"""While the app fails requests, the circuit opens: clients are told at once to come again, a few requests try, and then all pass."""
import threading

from support.apps import ScriptedUpstream
from support.case import EndToEnd
from support.waiting import wait_until


class Circuit(EndToEnd):
    def setUp(self):
        self.mood, self.arrived, self.go_on = "well", [], threading.Event()

        def play(connection):
            while True:
                request = connection.read_request()
                if request.target == "/":  # nobody but the test asks for others
                    connection.reply(b"")
                    continue
                self.arrived.append(request.target)
                if self.mood == "breaks":
                    return
                if self.mood == "holds":
                    self.go_on.wait(30)
                connection.reply(b"ok")
        self.app = self.start(ScriptedUpstream(play))

    def serve(self, **circuit):
        return self.gatehouse({"upstream": {"url": self.app.url, "circuit": {"failures": 3, "open_for": "1s", "trials": 2, **circuit}}, "workers": 1})

    def state(self, proxy):
        return next(state for state in ("closed", "open", "half_open") if proxy.metric("gatehouse_upstream_circuit_workers", state=state) == 1)

    def open_it(self, proxy):
        self.mood = "breaks"
        for i in range(3):
            self.assert_problem(proxy.fetch("GET", f"/fails/{i}"), 502, "upstream_closed_before_response")
        self.assertEqual(self.state(proxy), "open")

    def test_it_opens_refuses_tries_and_closes(self):
        proxy = self.serve()
        self.assertEqual(proxy.fetch("GET", "/a").status, 200)
        self.assertEqual(self.state(proxy), "closed")
        self.open_it(proxy)
        arrived = len(self.arrived)
        refused = proxy.fetch("GET", "/refused")
        self.assert_problem(refused, 503, "circuit_open")
        self.assertEqual(refused.header("Retry-After"), "1")
        self.assertEqual(len(self.arrived), arrived)  # the app heard nothing of it
        self.assertEqual(proxy.metric("gatehouse_requests_rejected_total", reason="circuit_open"), 1)
        self.mood = "well"
        wait_until(lambda: proxy.fetch("GET", "/tries").status == 200, "a request is tried")
        wait_until(lambda: proxy.fetch("GET", "/tries").status == 200 and self.state(proxy) == "closed", "all may pass again")
        for to in ("open", "half_open", "closed"):
            self.assertEqual(proxy.metric("gatehouse_upstream_circuit_changes_total", to=to), 1, to)
        for words in ("the circuit is open", "the circuit is half open", "the circuit is closed"):
            wait_until(lambda: len([line for line in proxy.stdout if words in line]) == 1, words)
        self.assertEqual(proxy.record(url_path="/refused")["gatehouse.response_flags"], "UH")

    def test_a_trial_that_fails_opens_it_again(self):
        proxy = self.serve()
        self.open_it(proxy)
        wait_until(lambda: proxy.fetch("GET", "/tries").status == 502, "a trial that fails")
        self.assertEqual(self.state(proxy), "open")
        self.assertEqual(proxy.metric("gatehouse_upstream_circuit_changes_total", to="open"), 2)

    def test_only_so_many_are_tried_at_once(self):
        proxy = self.serve()
        self.open_it(proxy)
        self.mood = "holds"
        before = len(self.arrived)
        answers = []

        def ask():
            answers.append(proxy.fetch("GET", "/tries").status)
        wait_until(lambda: self.begin(ask) and len(self.arrived) >= before + 1, "the first trial reached the app")
        wait_until(lambda: self.begin(ask) and len(self.arrived) >= before + 2, "the second too")
        for _ in range(5):
            self.assert_problem(proxy.fetch("GET", "/more"), 503, "circuit_open")
        self.assertEqual(len(self.arrived), before + 2)
        self.go_on.set()
        wait_until(lambda: answers.count(200) >= 2, "both trials went well")
        self.assertEqual(self.state(proxy), "closed")

    def begin(self, ask):
        threading.Thread(target=ask, daemon=True).start()
        return True

    def test_answers_that_take_too_long_open_it(self):
        proxy = self.serve(slow="100ms")
        self.mood = "holds"
        threads = [threading.Thread(target=lambda: proxy.fetch("GET", "/slow"), daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(self.arrived) == 3, "all wait")
        began = proxy.metric("gatehouse_upstream_requests_total")
        self.go_on.wait(0.3)  # longer than an answer may take
        self.go_on.set()
        for thread in threads:
            thread.join()
        self.assertEqual((began, self.state(proxy)), (3, "open"))

    def test_the_apps_own_errors_do_not_open_it(self):
        def play(connection):
            while True:
                connection.read_request()
                connection.reply(b"", status="500 Oh")
        proxy = self.gatehouse({"upstream": {"url": self.start(ScriptedUpstream(play)).url, "circuit": {"failures": 1}}, "workers": 1})
        for _ in range(5):
            self.assertEqual(proxy.fetch("GET", "/").status, 500)
        self.assertEqual(self.state(proxy), "closed")

    def test_without_it_every_request_goes_to_the_app(self):
        proxy = self.gatehouse({"upstream": self.app.url, "workers": 1})
        self.mood = "breaks"
        for i in range(20):
            self.assert_problem(proxy.fetch("GET", f"/{i}"), 502)
