"""The systemd units, as systemd's own tools read them."""
import os
import re
import subprocess
import tempfile

import json

from support.apps import Uvicorn
from support.case import EndToEnd
from support.gatehouse import BINARY, run_to_end
from support.http_client import fetch
from support.judges import DEPLOY
from support.ports import free_port
from support.process import Process

UNITS = os.path.join(DEPLOY, "systemd")


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


class Units(EndToEnd):
    def units(self, **changes):
        """A folder with the units, their binary being the one under test."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        for name in os.listdir(UNITS):
            if name.startswith("gatehouse."):
                with open(os.path.join(UNITS, name)) as file:
                    text = file.read().replace("/usr/bin/gatehouse", BINARY)
                for old, new in changes.items():
                    text = text.replace(old, new)
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text)
        return folder

    def test_systemd_knows_every_line(self):
        folder = self.units()
        code, said = analyze("verify", *(os.path.join(folder, name) for name in os.listdir(folder)))
        self.assertEqual((code, [line for line in said.splitlines() if "gatehouse." in line]), (0, []), said)
        folder = self.units(NoNewPrivileges="NoNewPrivilegez")
        self.assertIn("NoNewPrivilegez", analyze("verify", os.path.join(folder, "gatehouse.service"))[1])

    def test_the_service_is_exposed_by_2_0_at_most(self):
        unit = os.path.join(UNITS, "gatehouse.service")
        code, said = analyze("security", "--offline=true", "--threshold=20", "--no-pager", unit)
        self.assertEqual(code, 0, said)
        self.assertLessEqual(float(re.search(r"exposure level for gatehouse.service: ([0-9.]+)", said)[1]), 2.0)
        bare = self.units(CapabilityBoundingSet="#")
        self.assertNotEqual(analyze("security", "--offline=true", "--threshold=10", os.path.join(bare, "gatehouse.service"))[0], 0)

    def test_sockets_that_systemd_has_opened_are_served(self):
        app, port, admin = self.start(Uvicorn()), free_port(), free_port()
        path = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "gatehouse.yaml")
        with open(path, "w") as file:
            json.dump({"listeners": [{"address": f"0.0.0.0:{port}"}], "admin": {"address": f"127.0.0.1:{admin}"}, "upstream": app.url}, file)
        # systemd's own tool: listens, and starts the program at the first connection.
        proxy = self.start(Process(["systemd-socket-activate", "--listen", str(port), BINARY, "run", "--config", path]))
        proxy.wait_for(lambda: any("Listening on" in line for line in proxy.stderr), "systemd-socket-activate listens")
        self.assertEqual(fetch(("127.0.0.1", port), "/").json(), {"hello": "world"})
        self.assertEqual(proxy.stop(), 0)

    def test_the_verbs_that_the_service_uses_exist(self):
        with open(os.path.join(UNITS, "gatehouse.service")) as file:
            commands = re.findall(r"^Exec\w+=/usr/bin/gatehouse (\S+)(.*)$", file.read(), re.M)
        self.assertEqual({verb for verb, _ in commands}, {"validate", "run", "reload"})
        for verb, rest in commands:
            _, out, err = run_to_end(verb, "--help")
            self.assertIn(f"gatehouse {verb}", out + err)
            for option in re.findall(r"--\w+", rest):
                self.assertIn(option, out)
