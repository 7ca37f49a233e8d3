"""The configuration and the certificates of a running Gatehouse are replaced under load, and nobody notices."""
import json
import os
import shutil
import signal
import ssl
import tempfile

from support.apps import Uvicorn
from support.case import EndToEnd
from support.certificates import Authority
from support.gatehouse import SANITIZED, run_to_end
from support.http_client import Connection, fetch, trusting
from support.ports import free_port
from support.traffic import Traffic
from support.waiting import wait_until

RELOADS = 200
ROTATIONS = 50


class Running(EndToEnd):
    """A Gatehouse whose configuration file the test rewrites."""

    def begin(self, config=None, tls=True):
        self.app = self.start(Uvicorn(keep_alive=60))
        self.config = {"upstream": self.app.url, "workers": 2, **(config or {})}
        self.proxy = self.gatehouse(self.config, tls=tls)
        with open(self.proxy.config_file) as file:
            self.config = json.load(file)

    def write(self, **changes):
        """Puts a new file in the place of the old one, as editors do."""
        self.config.update(changes)
        new = self.proxy.config_file + ".new"
        with open(new, "w") as file:
            json.dump(self.config, file)
        os.rename(new, self.proxy.config_file)

    def reload(self):
        return run_to_end("reload", "--config", self.proxy.config_file)

    def reloads(self, result):
        return self.proxy.metric("gatehouse_config_reloads_total", result=result)


class Reload(Running):
    def test_two_hundred_reloads_under_load_fail_no_request_break_no_stream_and_leak_nothing(self):
        self.begin()
        def resident():
            return self.proxy.metric("process_resident_memory_bytes")
        def descriptors():
            return len(os.listdir(f"/proc/{self.proxy.popen.pid}/fd"))
        with Traffic(self.proxy) as traffic:
            for number in range(RELOADS):
                if number == 40:
                    early = (resident(), descriptors())
                self.write(routes=[{"match": {"path": f"/route-{number}/*"}, "limits": {"body": f"{1 + number % 7}MiB"}}])
                answer = fetch(self.proxy.admin, "/reload", "POST")
                self.assertEqual((answer.status, answer.json()["result"]), (200, "success"), answer)
            traffic.wait_for(100)
            late = (resident(), descriptors())
        self.assertGreaterEqual(self.reloads("success"), RELOADS)
        self.assertEqual(self.reloads("failure"), 0)
        self.assertLess(late[1], early[1] + 20, "descriptors")
        if not SANITIZED:
            self.assertLess(late[0], early[0] + (8 << 20), "resident memory")

    def test_the_verb_returns_when_the_new_configuration_is_in_force(self):
        self.begin()
        self.assertEqual(self.proxy.fetch("POST", "/echo", body=b"x" * 2000).status, 200)
        for size, status in (("1KiB", 413), ("4KiB", 200)) * 3:
            self.write(limits={"body": size})
            self.assertEqual(self.reload(), (0, "", ""))
            self.assertEqual(self.proxy.fetch("POST", "/echo", body=b"x" * 2000).status, status)

    def test_sighup_loads_the_configuration_anew(self):
        self.begin()
        self.write(limits={"body": "1KiB"})
        self.proxy.send_signal(signal.SIGHUP)
        wait_until(lambda: self.reloads("success") >= 1, "the reload is counted")
        wait_until(lambda: self.proxy.fetch("POST", "/echo", body=b"x" * 2000).status == 413, "the new limit holds")

    def test_a_request_in_flight_ends_under_the_configuration_it_began_with(self):
        self.begin()
        with self.proxy.connect() as connection:
            connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n", b"x" * 1000)
            wait_until(lambda: self.proxy.metric("http_server_active_requests") >= 1, "the request is under way")
            self.write(limits={"body": "1KiB"})
            self.assertEqual(self.reload()[0], 0)
            connection.send(b"x" * 4000)
            self.assertEqual(connection.response().json()["body_size"], 5000)
            # The same connection, the next request.
            self.assertEqual(connection.fetch("POST", "/echo", body=b"x" * 2000).status, 413)

    def test_a_broken_file_changes_nothing_and_is_told_everywhere(self):
        self.begin()
        with Traffic(self.proxy) as traffic:
            with open(self.proxy.config_file, "a") as file:
                file.write("\nlimits: { bodies: 3 }\n")
            code, out, errors = self.reload()
            self.assertEqual((code, out), (2, ""))
            self.assertIn("gatehouse.yaml", errors)
            wait_until(lambda: self.reloads("failure") >= 1, "the file's change is noticed")
            answer = fetch(self.proxy.admin, "/reload", "POST")
            self.assertEqual((answer.status, answer.json()["result"]), (422, "failure"))
            self.assertEqual(self.proxy.metric("gatehouse_config_last_reload_successful"), 0)
            health = fetch(self.proxy.admin, "/health")
            self.assertEqual((health.status, health.json()["status"]), (200, "warn"))
            self.assertIn("gatehouse.yaml", health.json()["checks"]["configuration"][0]["output"])
            self.assertEqual(fetch(self.proxy.admin, "/readyz").status, 200)
            traffic.wait_for(50)
            self.write()
            self.assertEqual(self.reload()[0], 0)
        self.assertEqual(fetch(self.proxy.admin, "/health").json()["status"], "pass")
        self.assertEqual(self.proxy.metric("gatehouse_config_last_reload_successful"), 1)
        wait_until(lambda: any("stays in force" in line for line in self.proxy.stdout), "the log tells")

    def test_a_configuration_whose_address_is_taken_changes_nothing(self):
        self.begin()
        listeners = self.config["listeners"]
        self.write(listeners=listeners + [{"address": "127.0.0.1:%d" % self.app.address[1]}], limits={"body": "1KiB"})
        code, _, errors = self.reload()
        self.assertEqual(code, 2)
        self.assertIn("another process listens there", errors)
        self.assertEqual(self.proxy.fetch("POST", "/echo", body=b"x" * 2000).status, 200)

    def test_listeners_come_and_go_while_connections_stay(self):
        self.begin()
        before = self.config["listeners"]
        added = free_port()
        with Traffic(self.proxy) as traffic, self.proxy.connect() as kept:
            kept.fetch("GET", "/")
            for _ in range(5):
                self.write(listeners=before + [{"address": f"127.0.0.1:{added}"}])
                self.assertEqual(self.reload()[0], 0)
                new = self.enterContext(Connection(("127.0.0.1", added)))
                self.assertEqual(new.fetch("GET", "/").status, 200)
                self.write(listeners=before)
                self.assertEqual(self.reload()[0], 0)
                wait_until(lambda: self.refused(added), "nobody listens there any more")
                # Its listener is gone, the connection is not.
                self.assertEqual(new.fetch("GET", "/").status, 200)
                traffic.wait_for(10)
            self.assertEqual(kept.fetch("GET", "/").status, 200)

    @staticmethod
    def refused(port):
        try:
            Connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            return True
        return False

    def test_the_count_of_a_rate_limit_that_did_not_change_goes_on(self):
        limit = {"name": "few", "quota": 5, "window": "1h", "key": "client_address"}
        self.begin({"rate_limits": [limit]}, tls=False)
        for number in range(5):
            self.assertEqual(self.proxy.fetch("GET", "/").status, 200)
            self.write(limits={"body": f"{number + 1}MiB"})
            self.assertEqual(self.reload()[0], 0)
        self.assertEqual(self.proxy.fetch("GET", "/").status, 429)
        self.write(rate_limits=[{**limit, "quota": 6}])
        self.assertEqual(self.reload()[0], 0)
        self.assertEqual(self.proxy.fetch("GET", "/").status, 200)

    def test_an_app_that_did_not_change_keeps_its_connections_and_its_health(self):
        self.begin(tls=False)
        self.assertEqual(self.proxy.fetch("GET", "/").status, 200)
        opened = self.proxy.metric("gatehouse_upstream_connections_opened_total")
        for number in range(5):
            self.write(limits={"body": f"{number + 1}MiB"})
            self.assertEqual(self.reload()[0], 0)
            self.assertEqual(fetch(self.proxy.admin, "/readyz").status, 200)
            self.assertEqual(self.proxy.fetch("GET", "/").status, 200)
        self.assertLessEqual(self.proxy.metric("gatehouse_upstream_connections_opened_total"), opened + 1)

    def test_another_app_gets_the_next_request(self):
        self.begin(tls=False)
        other = self.start(Uvicorn())
        self.proxy.fetch("POST", "/count/here")
        self.write(upstream=other.url)
        self.assertEqual(self.reload()[0], 0)
        self.proxy.fetch("POST", "/count/there")
        self.assertEqual(fetch(self.app.address, "/counts").json(), {"here": 1})
        self.assertEqual(fetch(other.address, "/counts").json(), {"there": 1})

    def test_what_only_a_new_process_can_change_is_said_to_need_one(self):
        self.begin()
        self.write(workers=1)
        code, _, errors = self.reload()
        self.assertEqual(code, 0)
        self.assertIn("workers has changed; it takes effect at the next start", errors)
        # Also when it was told before: nothing but a new process ends it.
        self.assertIn("workers has changed; it takes effect at the next start", self.reload()[2])

    def test_no_page_in_a_browser_can_ask_for_a_reload(self):
        self.begin()
        for name, value in (("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")):
            self.assertEqual(fetch(self.proxy.admin, "/reload", "POST", [(name, value)]).status, 403)
        self.assertEqual(fetch(self.proxy.admin, "/reload").status, 405)
        self.assertEqual(self.reloads("success"), 0)

    def test_the_verb_says_when_nobody_answers(self):
        self.begin()
        self.write(admin={"address": f"127.0.0.1:{free_port()}"})
        code, _, errors = self.reload()
        self.assertEqual(code, 1)
        self.assertIn("nobody listens there", errors)


class Watching(Running):
    """The file is loaded anew by itself, whatever way it changes."""

    def expect(self, status):
        wait_until(lambda: self.proxy.fetch("POST", "/echo", body=b"x" * 2000).status == status, f"{status}")

    def test_a_file_that_is_renamed_over_the_old_one(self):
        self.begin(tls=False)
        for size, status in (("1KiB", 413), ("4KiB", 200)):
            self.write(limits={"body": size})
            self.expect(status)

    def test_a_file_that_is_written_in_place_in_several_steps(self):
        self.begin(tls=False)
        text = json.dumps({**self.config, "limits": {"body": "1KiB"}})
        with open(self.proxy.config_file, "w") as file:
            for letter in text:
                file.write(letter)
                file.flush()
        self.expect(413)
        self.assertEqual(self.reloads("failure"), 0)

    def test_a_symbolic_link_that_is_swapped_as_a_config_map_is(self):
        app = self.start(Uvicorn())
        folder = tempfile.mkdtemp(prefix="gatehouse-test-")
        self.addCleanup(shutil.rmtree, folder)
        def publish(version, size):
            os.mkdir(os.path.join(folder, version))
            with open(os.path.join(folder, version, "body"), "w") as file:
                file.write(size)
            os.symlink(version, os.path.join(folder, "..data.new"))
            os.rename(os.path.join(folder, "..data.new"), os.path.join(folder, "..data"))
        # A secret is the only value that comes from a file; a token stands for any of them.
        publish("..1", "first-token-of-the-health-page")
        os.symlink("..data/body", os.path.join(folder, "token"))
        proxy = self.gatehouse({"upstream": app.url, "health": {"token_file": os.path.join(folder, "token")}})
        def sees_all(token):
            return "checks" in proxy.fetch("GET", "/health", [("Authorization", f"Bearer {token}")]).json()
        self.assertTrue(sees_all("first-token-of-the-health-page"))
        publish("..2", "second-token-of-the-health-page")
        wait_until(lambda: sees_all("second-token-of-the-health-page"), "the new token is taken")
        self.assertFalse(sees_all("first-token-of-the-health-page"))

    def test_the_same_content_again_is_no_change(self):
        self.begin(tls=False)
        self.write()
        self.write(limits={"body": "1KiB"})
        self.expect(413)
        self.assertEqual(self.reloads("success"), 1)


class Certificates(Running):
    def begin_with(self, **more):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.authority = Authority(self.folder)
        self.pair = [os.path.join(self.folder, name) for name in ("live.crt", "live.key")]
        self.install(*self.authority.issue("localhost"))
        self.begin({"listeners": [{"address": f"127.0.0.1:{free_port()}"},
                                  {"address": f"127.0.0.1:{free_port()}",
                                   "tls": {"certificates": [{"certificate": self.pair[0], "private_key": self.pair[1]}]}}], **more})

    def install(self, certificate, key):
        for source, target in zip((certificate, key), self.pair):
            shutil.copy(source, target + ".new")
            os.rename(target + ".new", target)

    def serial(self):
        context = trusting(self.authority.certificate)
        with Connection(self.proxy.https, tls=context) as connection:
            return connection.socket.getpeercert()["serialNumber"]

    def certificate_reloads(self, result):
        return self.proxy.metric("gatehouse_tls_certificate_reloads_total", result=result)

    def test_fifty_rotations_under_load_fail_no_handshake_and_no_request(self):
        self.begin_with()
        pairs = [self.authority.issue("localhost"), self.authority.issue("localhost", rsa=True)]
        with Traffic(self.proxy) as traffic:
            seen = self.serial()
            for number in range(ROTATIONS):
                self.install(*pairs[number % 2])
                seen = wait_until(lambda: (now := self.serial()) != seen and now, "the new certificate is presented")
            traffic.wait_for(20)
        self.assertGreaterEqual(self.certificate_reloads("success"), ROTATIONS)
        self.assertEqual(self.proxy.metric("gatehouse_tls_handshake_failures_total"), 0)

    def test_a_certificate_that_ends_soon_is_told_in_the_log(self):
        self.begin_with()
        wait_until(lambda: any("the certificate for localhost expires in less than 2 days; renew it" in line for line in self.proxy.stdout),
                   "a warning")

    def test_a_broken_pair_is_told_and_the_old_one_stays(self):
        self.begin_with()
        before = self.serial()
        good = self.authority.issue("localhost")
        with open(self.pair[1], "w") as file:
            file.write("no key at all")
        wait_until(lambda: self.certificate_reloads("failure") >= 1, "the failure is counted")
        self.assertEqual(self.serial(), before)
        wait_until(lambda: any("stay in use" in line for line in self.proxy.stdout), "the log tells")
        self.install(*good)
        wait_until(lambda: self.serial() != before, "the good pair is presented")

    def test_a_certificate_is_renewed_although_the_configuration_file_is_broken(self):
        self.begin_with()
        before = self.serial()
        with open(self.proxy.config_file, "a") as file:
            file.write("\nbroken: [")
        wait_until(lambda: self.reloads("failure") >= 1, "the broken file is noticed")
        self.install(*self.authority.issue("localhost"))
        wait_until(lambda: self.serial() != before, "the new certificate is presented")

    def test_clients_resume_their_sessions_across_a_rotation(self):
        self.begin_with()
        context = trusting(self.authority.certificate, maximum=ssl.TLSVersion.TLSv1_2)
        with Connection(self.proxy.https, tls=context) as connection:
            connection.fetch("GET", "/")
            session = connection.socket.session
        before = self.serial()
        self.install(*self.authority.issue("localhost"))
        wait_until(lambda: self.serial() != before, "the new certificate is presented")
        raw = Connection(self.proxy.https)
        raw.socket = context.wrap_socket(raw.socket, server_hostname="localhost", session=session)
        with raw as connection:
            self.assertEqual(connection.fetch("GET", "/").status, 200)
            self.assertTrue(connection.socket.session_reused)


class Drain(Running):
    def test_the_verb_returns_when_requests_are_over_and_readiness_fails_meanwhile(self):
        self.begin()
        with self.proxy.connect() as busy, self.proxy.connect() as idle:
            idle.fetch("GET", "/")
            busy.request("GET", "/slow?seconds=1")
            wait_until(lambda: self.proxy.metric("http_server_active_requests") >= 1, "the request is under way")
            self.assertEqual(run_to_end("drain", "--config", self.proxy.config_file), (0, "", ""))
            self.assertTrue(idle.closed())
            response = busy.response()
            self.assertEqual((response.status, response.header("Connection")), (200, "close"))
        self.assertEqual(fetch(self.proxy.admin, "/readyz").status, 503)
        # Who has not heard yet is still served.
        late = self.proxy.fetch("GET", "/")
        self.assertEqual((late.status, late.header("Connection")), (200, "close"))

    def test_the_verb_says_when_requests_do_not_end(self):
        self.begin({"shutdown": {"deadline": "500ms"}})
        with self.proxy.connect() as busy:
            busy.request("GET", "/slow?seconds=20")
            wait_until(lambda: self.proxy.metric("http_server_active_requests") >= 1, "the request is under way")
            code, _, errors = run_to_end("drain", "--config", self.proxy.config_file)
            self.assertEqual(code, 1)
            self.assertIn("still being answered", errors)

    def test_traffic_that_goes_on_until_the_end_never_fails(self):
        self.begin({"shutdown": {"linger": "300ms"}})
        with Traffic(self.proxy, may_close=True, streams=False) as traffic:
            self.assertEqual(run_to_end("drain", "--config", self.proxy.config_file), (0, "", ""))
            traffic.wait_for(20)
