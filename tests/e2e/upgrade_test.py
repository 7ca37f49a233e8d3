"""The binary of a running Gatehouse is replaced under load, by a new process that takes over the listening sockets."""
import asyncio
import json
import os
import shutil
import signal
import socket
import tempfile

import websockets

from support.apps import Uvicorn
from support.case import EndToEnd
from support.gatehouse import BINARY, run_to_end
from support.http_client import Connection, fetch
from support.traffic import Traffic
from support.waiting import wait_until

UPGRADES = 20


def alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Upgrade(EndToEnd):
    def begin(self, **options):
        self.app = self.start(Uvicorn())
        self.proxy = self.gatehouse({"upstream": self.app.url, "workers": 2, "shutdown": {"deadline": "60s"}}, **options)
        self.processes = [self.proxy.popen.pid]
        self.addCleanup(self.end_all)

    def end_all(self):
        for process in self.processes[1:]:
            if alive(process):
                os.kill(process, signal.SIGTERM)
                wait_until(lambda: not alive(process), "the last process ends")

    def upgrade(self):
        code, out, errors = run_to_end("upgrade", "--config", self.proxy.config_file, patience=90)
        self.assertEqual((code, errors), (0, ""), self.proxy.output())
        self.processes.append(json.loads(out)["process"])
        return self.processes[-1]

    def test_twenty_upgrades_under_load_fail_no_request_and_lose_no_connection_in_the_queue(self):
        self.begin(tls=True)
        with Traffic(self.proxy, may_close=True, streams=False) as traffic:
            for _ in range(UPGRADES):
                before = self.processes[-1]
                self.assertNotEqual(self.upgrade(), before)
                wait_until(lambda: not alive(before), "the process before has ended")
                traffic.wait_for(20)
        self.assertEqual(self.proxy.wait(), 0)
        self.assertEqual(fetch(self.proxy.admin, "/readyz").status, 200)

    def test_a_websocket_is_told_to_come_again(self):
        self.begin()
        async def session():
            async with websockets.connect("ws://%s:%d/ws" % self.proxy.http) as client:
                await client.send("before")
                self.assertEqual(await client.recv(), "before")
                await asyncio.to_thread(self.upgrade)
                with self.assertRaises(websockets.ConnectionClosed):
                    await asyncio.wait_for(client.recv(), 30)
                self.assertEqual(client.close_code, 1001)
            async with websockets.connect("ws://%s:%d/ws" % self.proxy.http) as client:
                await client.send("after")
                self.assertEqual(await client.recv(), "after")
        asyncio.run(session())
        self.assertEqual(self.proxy.wait(), 0)

    def test_streams_that_span_an_upgrade_end_on_the_old_process(self):
        self.begin()
        with self.proxy.connect() as download, self.proxy.connect() as events:
            download.request("GET", "/stream?parts=100&size=100000")
            events.request("GET", "/events?count=30&interval=0.1")
            self.assertEqual((download.head().status, events.head().status), (200, 200))
            self.upgrade()
            self.assertEqual(self.proxy.fetch("GET", "/").status, 200)
            size = 0
            while piece := download.chunk():
                size += len(piece)
            self.assertEqual(size, 10_000_000)
            for number in range(30):
                self.assertTrue(events.chunk().startswith(b"id: %d\n" % number))
            self.assertEqual(events.chunk(), b"")
        self.assertEqual(self.proxy.wait(), 0)

    def test_a_new_process_that_is_never_ready_is_ended_and_the_old_one_goes_on(self):
        self.begin()
        with open(self.proxy.config_file) as file:
            config = json.load(file)
        # What only a start looks at: an address that somebody else has.
        config["admin"] = {"address": "127.0.0.1:%d" % self.app.address[1]}
        broken = self.proxy.config_file + ".broken"
        with open(broken, "w") as file:
            json.dump(config, file)
        shutil.copy(self.proxy.config_file, self.proxy.config_file + ".good")
        os.rename(broken, self.proxy.config_file)
        answer = fetch(self.proxy.admin, "/upgrade", "POST")
        self.assertEqual((answer.status, answer.json()["result"]), (409, "failure"), answer)
        self.assertEqual(self.proxy.fetch("GET", "/").status, 200)
        self.assertTrue(alive(self.processes[0]))
        os.rename(self.proxy.config_file + ".good", self.proxy.config_file)
        self.upgrade()
        self.assertEqual(self.proxy.wait(), 0)

    def test_the_verb_tells_a_mistake_in_the_configuration_and_asks_nobody(self):
        self.begin()
        with open(self.proxy.config_file, "a") as file:
            file.write("\nno: [")
        code, _, errors = run_to_end("upgrade", "--config", self.proxy.config_file)
        self.assertEqual(code, 2)
        self.assertIn("gatehouse.yaml", errors)
        self.assertTrue(alive(self.processes[0]))

    def test_no_page_in_a_browser_can_ask_for_an_upgrade(self):
        self.begin()
        self.assertEqual(fetch(self.proxy.admin, "/upgrade", "POST", [("Origin", "https://evil.example")]).status, 403)
        self.assertTrue(alive(self.processes[0]))


class SocketActivation(EndToEnd):
    """As systemd starts it: the sockets are open before Gatehouse is, and stay open after it."""

    def test_sockets_that_were_passed_are_served_and_clients_that_came_before_the_start_are_answered(self):
        app = self.start(Uvicorn())
        listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        ports = [one.getsockname()[1] for one in listening]
        folder = tempfile.mkdtemp(prefix="gatehouse-test-")
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "notify")
        notify = self.enterContext(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        notify.bind(path)
        notify.settimeout(30)
        def pass_on():
            for number, one in enumerate(listening):
                os.dup2(one.fileno(), 10 + number)
            for number in range(len(listening)):
                os.dup2(10 + number, 3 + number)
            os.environ["LISTEN_PID"] = str(os.getpid())
            os.environ["LISTEN_FDS"] = str(len(listening))
        early = self.enterContext(Connection(("127.0.0.1", ports[0])))
        early.request("GET", "/")
        config = {"upstream": app.url, "workers": 2, "listeners": [{"address": f"127.0.0.1:{ports[0]}"}],
                  "admin": {"address": f"127.0.0.1:{ports[1]}"}}
        file = os.path.join(folder, "gatehouse.yaml")
        with open(file, "w") as out:
            json.dump(config, out)
        # A shell stands where systemd is: only the process itself knows its number before it runs.
        child = os.fork()
        if child == 0:
            try:
                pass_on()
                os.environ["NOTIFY_SOCKET"] = path
                os.execv(BINARY, [BINARY, "run", "--config", file])
            finally:
                os._exit(127)
        self.addCleanup(lambda: alive(child) and os.kill(child, signal.SIGKILL))
        self.assertEqual(early.response().status, 200)
        self.assertEqual(fetch(("127.0.0.1", ports[1]), "/livez").status, 200)
        self.assertEqual(notify.recv(200).decode(), f"READY=1\nMAINPID={child}")
        os.kill(child, signal.SIGTERM)
        self.assertEqual(notify.recv(200).decode(), "STOPPING=1")
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        for one in listening:
            one.close()
