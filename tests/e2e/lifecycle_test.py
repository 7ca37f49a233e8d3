"""Starting and stopping: mistakes are told before anything listens, and nobody's request is cut off by the end."""
import os
import re
import signal
import socket
import tempfile
import threading

from support.apps import ScriptedUpstream, Uvicorn
from support.case import EndToEnd
from support.gatehouse import Gatehouse, run_to_end
from support.http_client import Connection, fetch, trusting
from support.ports import free_port
from support.waiting import wait_until


class Start(EndToEnd):
    def run_with(self, text):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = os.path.join(folder, "gatehouse.yaml")
        with open(path, "w") as file:
            file.write(text)
        return (path, *run_to_end("run", "--config", path))

    def test_one_line_of_configuration_is_enough(self):
        # Its defaults are fixed ports, so it is only judged here, not served.
        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = os.path.join(folder, "gatehouse.yaml")
        with open(path, "w") as file:
            file.write("upstream: http://127.0.0.1:8000\n")
        self.assertEqual(run_to_end("validate", path)[0], 0)

    def test_a_broken_configuration_is_told_with_file_line_and_column_and_exit_code_2(self):
        path, code, out, err = self.run_with("upstream: http://127.0.0.1:8000\nlimts:\n  body: 1MiB\nworkers: many\n")
        self.assertEqual((code, out), (2, ""))
        self.assertRegex(err, re.escape(path) + r":2:1: limts: .*limits")
        self.assertRegex(err, re.escape(path) + r":4:10: workers: ")

    def test_a_configuration_that_is_not_there_is_told_with_exit_code_2(self):
        code, out, err = run_to_end("run", "--config", "/nonexistent/gatehouse.yaml")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("/nonexistent/gatehouse.yaml", err)

    def test_an_address_in_use_is_told_with_exit_code_1(self):
        taken = self.enterContext(socket.socket())
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        _, code, _, err = self.run_with(f"upstream: http://127.0.0.1:8000\nlisteners: [{{address: 127.0.0.1:{port}}}]\n"
                                        f"admin: {{address: 127.0.0.1:{free_port()}}}\n")
        self.assertEqual(code, 1)
        self.assertIn(str(port), err)

    def test_a_certificate_that_does_not_fit_its_key_is_told_with_exit_code_2(self):
        from support.certificates import Authority
        folder = self.enterContext(tempfile.TemporaryDirectory())
        authority = Authority(folder)
        (certificate, _), (_, key) = authority.issue("a.example"), authority.issue("b.example")
        _, code, _, err = self.run_with(
            f"upstream: http://127.0.0.1:8000\nadmin: {{address: 127.0.0.1:{free_port()}}}\n"
            f"listeners: [{{address: 127.0.0.1:{free_port()}, tls: {{certificates: [{{certificate: {certificate}, private_key: {key}}}]}}}}]\n")
        self.assertEqual(code, 2)
        self.assertIn("a.example.crt", err)


class HealthCheck(EndToEnd):
    def test_the_healthcheck_verb_tells_by_its_exit_code_whether_a_running_gatehouse_is_ready(self):
        gatehouse = self.gatehouse({"upstream": self.start(Uvicorn()).url})
        check = lambda: run_to_end("healthcheck", "--config", gatehouse.config_file)[0]
        self.assertEqual(check(), 0)
        gatehouse.finish()
        self.assertEqual(check(), 1)


class Stop(EndToEnd):
    def in_flight(self, number):
        """A request is at work when the signal comes."""
        go = threading.Event()
        def play(connection):
            connection.read_request()
            go.wait(30)
            connection.reply(b"finished")
        upstream = self.start(ScriptedUpstream(play))
        gatehouse = self.gatehouse({"upstream": upstream.url}, tls=True)
        with gatehouse.connect() as plain, Connection(gatehouse.https, trusting()) as secure, gatehouse.connect() as idle:
            plain.request("GET", "/plain")
            secure.request("GET", "/secure")
            wait_until(lambda: len(upstream.requests) == 2, "both requests are at work")
            wait_until(lambda: gatehouse.metric("gatehouse_connections_open") == 3, "the silent one has been let in")
            gatehouse.send_signal(number)
            self.assertTrue(idle.closed())
            wait_until(lambda: self.refuses(gatehouse.http), "nobody new is accepted")
            go.set()
            for connection in (plain, secure):
                response = connection.response()
                self.assertEqual((response.status, response.body, response.header("Connection")), (200, b"finished", "close"))
                self.assertTrue(connection.closed())
        self.assertEqual(gatehouse.wait(), 0)
        for path in ("/plain", "/secure"):
            self.assertEqual(gatehouse.record(url_path=path)["http.response.status_code"], 200)

    @staticmethod
    def refuses(address):
        try:
            with Connection(address, timeout=5):
                return False
        except OSError:
            return True

    def test_sigterm_lets_requests_finish(self):
        self.in_flight(signal.SIGTERM)

    def test_sigint_lets_requests_finish(self):
        self.in_flight(signal.SIGINT)

    def test_during_the_linger_time_readiness_fails_while_clients_are_still_served(self):
        gatehouse = self.gatehouse({"upstream": self.start(Uvicorn()).url, "shutdown": {"linger": "2s"}})
        gatehouse.send_signal(signal.SIGTERM)
        wait_until(lambda: fetch(gatehouse.admin, "/readyz").status == 503, "readiness fails")
        self.assertEqual(gatehouse.fetch("GET", "/").status, 200)
        self.assertEqual(fetch(gatehouse.admin, "/livez").status, 200)
        self.assertEqual(gatehouse.wait(), 0)

    def test_whoever_connected_just_before_the_signal_is_served_while_it_lingers_and_let_go_in_order_afterwards(self):
        gatehouse = self.gatehouse({"upstream": self.start(Uvicorn()).url, "shutdown": {"linger": "2s"}})
        with gatehouse.connect() as late, gatehouse.connect() as silent:
            gatehouse.send_signal(signal.SIGTERM)
            wait_until(lambda: fetch(gatehouse.admin, "/readyz").status == 503, "readiness fails")
            self.assertEqual(late.fetch("GET", "/").status, 200)
            self.assertEqual(silent.socket.recv(1), b"", "an end, not a reset")
        self.assertEqual(gatehouse.wait(), 0)

    def test_a_stream_without_end_is_cut_at_the_deadline(self):
        app = self.start(Uvicorn())
        gatehouse = self.gatehouse({"upstream": app.url, "shutdown": {"deadline": "1s"}})
        with gatehouse.connect() as connection:
            connection.request("GET", "/events")
            self.assertEqual(connection.head().status, 200)
            gatehouse.send_signal(signal.SIGTERM)
            try:
                connection.until_closed()
            except ConnectionResetError:
                pass
        self.assertEqual(gatehouse.wait(), 0)
        gatehouse.record(url_path="/events")

    def test_it_stops_at_once_when_nothing_is_at_work(self):
        gatehouse = Gatehouse({"upstream": self.start(Uvicorn()).url, "shutdown": {"deadline": "1h"}})
        with gatehouse.connect() as idle:
            idle.fetch("GET", "/")
            gatehouse.finish()

    def test_a_connection_that_was_never_used_does_not_hold_up_the_end(self):
        gatehouse = Gatehouse({"upstream": self.start(Uvicorn()).url, "shutdown": {"deadline": "1h"},
                               "timeouts": {"request_head": "1h"}}, tls=True)
        with gatehouse.connect(), Connection(gatehouse.https, trusting()):
            wait_until(lambda: gatehouse.metric("gatehouse_connections_open") >= 2, "both are there")
            gatehouse.finish()

    def test_many_starts_and_stops_under_traffic_end_well(self):
        app = self.start(Uvicorn())
        for _ in range(5):
            with Gatehouse({"upstream": app.url}) as gatehouse:
                over = threading.Event()
                def client():
                    while not over.is_set():
                        try:
                            gatehouse.fetch("GET", "/")
                        except OSError:
                            pass
                clients = [threading.Thread(target=client) for _ in range(4)]
                for thread in clients:
                    thread.start()
                wait_until(lambda: len(gatehouse.records()) > 50, "traffic flows")
                gatehouse.finish()
                over.set()
                for thread in clients:
                    thread.join()
