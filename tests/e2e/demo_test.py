"""The demo does what it says."""
import os
import subprocess

from support.case import EndToEnd
from support.gatehouse import BINARY

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Demo(EndToEnd):
    def test_each_command_that_the_demo_prints_shows_what_it_promises(self):
        done = subprocess.run([os.path.join(ROOT, "deploy/demo"), "--check"], env={**os.environ, "GATEHOUSE_BINARY": BINARY},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("FAIL", done.stdout)
