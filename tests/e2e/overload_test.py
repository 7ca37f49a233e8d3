"""Too many clients, too slow clients, no descriptors left: a clear answer, no spinning, and recovery."""
import os
import resource
import time

from support.apps import ScriptedUpstream, Uvicorn
from support.case import EndToEnd
from support.http_client import Connection, fetch
from support.waiting import wait_until


class Connections(EndToEnd):
    def test_a_connection_over_the_cap_gets_a_503_and_is_counted_until_there_is_room_again(self):
        gatehouse = self.gatehouse({"upstream": self.start(Uvicorn()).url, "limits": {"connections": 20}, "workers": 1})
        held = [gatehouse.connect() for _ in range(20)]
        for connection in held:
            self.assertEqual(connection.fetch("GET", "/").status, 200)
        for _ in range(5):
            with gatehouse.connect() as connection:
                self.assertEqual(connection.fetch("GET", "/over").status, 503)
                self.assertTrue(connection.closed())
        self.assertEqual(held[0].fetch("GET", "/").status, 200)
        self.assertEqual(gatehouse.metric("gatehouse_connections_over_limit_total"), 5)
        for connection in held:
            connection.close()
        wait_until(lambda: self.served(gatehouse), "there is room again")

    def served(self, gatehouse):
        try:
            return gatehouse.fetch("GET", "/").status == 200
        except OSError:
            return False

    def test_one_address_may_not_take_all_connections(self):
        gatehouse = self.gatehouse({"upstream": self.start(Uvicorn()).url, "workers": 1,
                                    "limits": {"connections_per_address": 5}})
        held = [self.enterContext(gatehouse.connect()) for _ in range(5)]
        for connection in held:
            self.assertEqual(connection.fetch("GET", "/").status, 200)
        with gatehouse.connect() as connection:
            self.assertEqual(connection.fetch("GET", "/over").status, 503)

    def test_running_out_of_descriptors_neither_spins_nor_lasts(self):
        def few_descriptors():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        gatehouse = self.gatehouse({"upstream": self.start(Uvicorn()).url}, before_exec=few_descriptors)
        held = [gatehouse.connect() for _ in range(120)]
        for connection in held:
            try:
                connection.request("GET", "/")
            except OSError:
                pass
        cpu, begun = gatehouse.cpu_seconds(), time.monotonic()
        wait_until(lambda: time.monotonic() - begun > 2, "two seconds pass")
        # One worker that spins takes two seconds of processor time in two seconds.
        self.assertLess(gatehouse.cpu_seconds() - cpu, 1.0)
        for connection in held:
            connection.close()
        wait_until(lambda: self.served(gatehouse), "it serves again")
        wait_until(lambda: gatehouse.open_descriptors() < 50, "the descriptors are free again")

    def test_connections_that_come_and_go_leave_nothing_behind(self):
        gatehouse = self.gatehouse({"upstream": self.start(Uvicorn()).url})
        gatehouse.fetch("GET", "/")
        before = gatehouse.open_descriptors()
        for number in range(300):
            connection = gatehouse.connect()
            if number % 3 == 0:
                connection.fetch("GET", "/")
            elif number % 3 == 1:
                connection.send("GET /half HTT")
            connection.close()
        wait_until(lambda: gatehouse.open_descriptors() <= before + (os.cpu_count() or 1), "all of them are closed")


class SlowClients(EndToEnd):
    def test_a_head_that_does_not_come_in_time_is_answered_with_408(self):
        gatehouse = self.gatehouse({"upstream": self.start(Uvicorn()).url, "timeouts": {"request_head": "500ms"}})
        with gatehouse.connect() as connection:
            connection.send("GET / HTTP/1.1\r\nHost: a\r\n")
            self.assertEqual(connection.response().status, 408)
            self.assertTrue(connection.closed())
        self.assertEqual(gatehouse.record(http_response_status_code=408)["gatehouse.decided_by"], "sidecar")

    def test_a_body_that_stops_coming_is_answered_with_408(self):
        gatehouse = self.gatehouse({"upstream": self.start(Uvicorn()).url, "timeouts": {"body_idle": "500ms"}})
        with gatehouse.connect() as connection:
            connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
            self.assertEqual(connection.response().status, 408)
            self.assertTrue(connection.closed())

    def test_an_idle_connection_is_closed_without_a_word(self):
        gatehouse = self.gatehouse({"upstream": self.start(Uvicorn()).url, "timeouts": {"keep_alive": "500ms"}})
        with gatehouse.connect() as connection:
            self.assertEqual(connection.fetch("GET", "/").status, 200)
            self.assertTrue(connection.closed())

    def test_an_empty_line_behind_a_request_is_no_request_that_came_too_late(self):
        gatehouse = self.gatehouse({"upstream": self.start(Uvicorn()).url,
                                    "timeouts": {"request_head": "300ms", "keep_alive": "300ms"}})
        for line in ("\r\n", "\r"):
            with gatehouse.connect() as connection:
                self.assertEqual(connection.fetch("GET", "/").status, 200)
                connection.send(line)
                self.assertEqual(connection.socket.recv(1), b"")
        self.assertEqual([record["url.path"] for record in gatehouse.records()], ["/", "/"])

    def test_a_client_that_never_sends_a_byte_is_closed(self):
        gatehouse = self.gatehouse({"upstream": self.start(Uvicorn()).url,
                                    "timeouts": {"request_head": "500ms", "keep_alive": "500ms"}})
        with gatehouse.connect() as connection:
            connection.until_closed()

    def test_a_client_that_reads_nothing_is_given_up(self):
        gatehouse = self.gatehouse({"upstream": self.start(Uvicorn()).url, "timeouts": {"write_idle": "500ms"}})
        with gatehouse.connect() as connection:
            connection.request("GET", "/stream?parts=2000&size=100000")
            gatehouse.record(url_path="/stream")


class WaitingRoom(EndToEnd):
    def test_requests_beyond_the_apps_connections_wait_and_are_served(self):
        import threading
        go = threading.Event()
        def play(connection):
            while True:
                connection.read_request()
                go.wait(30)
                connection.reply(b"done")
        upstream = self.start(ScriptedUpstream(play))
        gatehouse = self.gatehouse({"upstream": {"url": upstream.url, "max_connections": 2}, "workers": 1})
        bodies = []
        clients = [threading.Thread(target=lambda: bodies.append(gatehouse.fetch("GET", "/").body)) for _ in range(8)]
        for client in clients:
            client.start()
        wait_until(lambda: len(upstream.requests) >= 2, "two are at work")
        go.set()
        for client in clients:
            client.join()
        self.assertEqual(bodies, [b"done"] * 8)
        self.assertLessEqual(upstream.used_connections(), 2)

    def test_requests_beyond_the_waiting_room_get_a_503_at_once(self):
        def play(connection):
            connection.read_request()
            connection.until_closed()
        upstream = self.start(ScriptedUpstream(play))
        gatehouse = self.gatehouse({"upstream": {"url": upstream.url, "max_connections": 1, "wait_queue": 1},
                                    "workers": 1})
        waiting = [self.enterContext(gatehouse.connect()) for _ in range(2)]
        for connection in waiting:
            connection.request("GET", "/waiting")
        def refused():
            with Connection(gatehouse.http, timeout=1) as connection:
                try:
                    return connection.fetch("GET", "/refused").status == 503
                except TimeoutError:
                    return False
        wait_until(refused, "a request is refused")
        self.assertEqual(fetch(gatehouse.admin, "/livez").status, 200)
