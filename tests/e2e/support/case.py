"""The base of all test classes here: what a test starts is stopped and judged when it ends, and shown when it fails."""
import signal
import unittest

from .gatehouse import Gatehouse

# One test; with a sanitizer everything is slower.
DEADLINE_SECONDS = 180


class TooLong(Exception):
    pass


def _too_long(*_):
    raise TooLong(f"the test took more than {DEADLINE_SECONDS} s")


class EndToEnd(unittest.TestCase):
    """Each test method is one behaviour; its name is the sentence that says it."""

    maxDiff = 4000

    def run(self, result=None):
        signal.signal(signal.SIGALRM, _too_long)
        signal.alarm(DEADLINE_SECONDS)
        self.started = []
        try:
            return super().run(result)
        finally:
            signal.alarm(0)

    def start(self, process):
        """Keeps a program, or anything else to be entered, for the rest of the test."""
        self.started.append(process)
        return self.enterContext(process)

    @classmethod
    def start_shared(cls, process):
        """The same for all tests of the class; call it in setUpClass."""
        cls.shared = getattr(cls, "shared", []) + [process]
        return cls.enterClassContext(process)

    def gatehouse(self, config, **options):
        return self.start(Gatehouse(config, **options))

    def programs(self):
        return [program for program in [*getattr(type(self), "shared", []), *self.started] if hasattr(program, "output")]

    # Assertions that many tests share

    def assert_problem(self, response, status, reason=None):
        """A response of Gatehouse's own: problem+json (RFC 9457) with the request id, and nothing about the inside."""
        self.assertEqual(response.status, status, response)
        self.assertEqual(response.header("Content-Type"), "application/problem+json")
        problem = response.json()
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["title"])
        if request_id := response.header("X-Request-Id"):
            self.assertIn(request_id, response.body.decode())
        if reason:
            self.assertIn(reason, response.body.decode())
        self.assertNotIn("127.0.0.1", response.body.decode())
        return problem
