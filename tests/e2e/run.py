#!/usr/bin/python3
"""Runs the end-to-end tests: the binary beside real apps.

usage: run.py [-k PATTERN] [--jobs N] [--tally FILE] [MODULE...]
The binary is $GATEHOUSE_BINARY, else build/release/gatehouse. Each module (*_test.py) runs in a process of its own, N at a
time; what fails is run once more alone; prints one line for each test, the failures in full at the end, and a summary. --tally writes `PASSED FAILED`."""
import argparse
import concurrent.futures
import glob
import json
import os
import subprocess
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
# These judge scripts, manifests and units in deploy/; the binary does next to nothing in them, so one build is enough.
JUDGES_OF_FILES = {"backup_test", "compose_test", "kubernetes_test", "pipelines_test", "systemd_test"}
EVENT = "\x1e"  # starts a line that reports a test, among the lines that tests print


def sentence(test):
    """The sentence a test's name says."""
    name = test.id().split(".")[-1] if isinstance(test, unittest.TestCase) else str(test)
    return name.removeprefix("test_").replace("_", " ")


class Reporter(unittest.TestResult):
    """Reports each test as it ends, with the output of the programs it had started where it failed."""

    def startTest(self, test):
        super().startTest(test)
        self._begun, self._trouble = time.monotonic(), []

    def addError(self, test, error):
        super().addError(test, error)
        self._note(test, error)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._note(test, error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._trouble.append(f"skipped: {reason}")  # what did not run has not passed

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self._note(subtest, error)

    def _note(self, test, error):
        parts = [self._exc_info_to_string(error, test)]
        owner = getattr(test, "test_case", test)
        if hasattr(owner, "programs"):
            parts += [f"--- {program.name}\n{program.output()}" for program in owner.programs()]
        if getattr(self, "_trouble", None) is not None and isinstance(owner, unittest.TestCase):
            self._trouble.append("\n".join(parts))
        else:  # setUpClass, setUpModule or their end
            emit(sentence=str(test), seconds=0, trouble="\n".join(parts))

    def stopTest(self, test):
        super().stopTest(test)
        emit(sentence=sentence(test), seconds=time.monotonic() - self._begun, trouble="\n".join(self._trouble))
        self._trouble = None


def emit(**event):
    print(EVENT + json.dumps(event), flush=True)


def run_module(name, pattern):
    """In the process of one module."""
    sys.path.insert(0, HERE)
    loader = unittest.TestLoader()
    suite = unittest.TestSuite()
    for test in flatten(loader.loadTestsFromName(name)):
        if pattern in sentence(test) or pattern in test.id():
            suite.addTest(test)
    reporter = Reporter()
    if loader.errors:
        emit(sentence=f"{name} can be loaded", seconds=0, trouble="\n".join(loader.errors))
        return
    suite.run(reporter)


def flatten(suite):
    for item in suite:
        yield from flatten(item) if isinstance(item, unittest.TestSuite) else [item]


class Board:
    """What is printed, and counted, from all modules."""

    def __init__(self):
        self._lock = threading.Lock()
        self.passed, self.failures = 0, []

    def add(self, module, event, output):
        with self._lock:
            ok = not event["trouble"]
            print(f"{'ok  ' if ok else 'FAIL'} {module}: {event['sentence']} ({event['seconds']:.1f} s)", flush=True)
            if ok:
                self.passed += 1
            else:
                self.failures.append((module, event["sentence"], event["trouble"], output))

    def follow(self, module, pattern):
        """Runs one module and reports its tests."""
        command = [sys.executable, os.path.abspath(__file__), "--one", module, "-k", pattern]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, errors="replace")
        output = []
        for line in child.stdout:
            if line.startswith(EVENT):
                self.add(module, json.loads(line[len(EVENT):]), "".join(output[-100:]))
                output = []
            else:
                output.append(line)
        if child.wait() != 0:
            self.add(module, {"sentence": f"the process of {module} ends well", "seconds": 0,
                              "trouble": f"exit code {child.returncode}"}, "".join(output[-100:]))

    def try_again_alone(self):
        """Runs what failed once more with nothing beside it: real apps on a busy machine miss deadlines that are not ours.
        Told in the summary, so that nobody takes it for a clean run. What fails twice has failed."""
        failures, self.failures, alone = self.failures, [], []
        for failure in failures:
            module, name = failure[:2]
            print(f"once more, alone: {module}: {name}", flush=True)
            second = Board()
            second.follow(module, name)
            if second.passed and not second.failures:
                self.passed += 1
                alone.append(f"{module}: {name}")
            else:
                self.failures.append(failure)
        return alone


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-k", default="", dest="pattern")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--tally")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()
    if options.one:
        return run_module(options.one, options.pattern)

    os.environ["GATEHOUSE_BINARY"] = os.path.abspath(os.environ.get("GATEHOUSE_BINARY", "build/release/gatehouse"))
    if not os.access(os.environ["GATEHOUSE_BINARY"], os.X_OK):
        sys.exit(f"there is no binary {os.environ['GATEHOUSE_BINARY']}: build it, or name one in GATEHOUSE_BINARY")
    modules = options.modules or sorted(os.path.basename(path)[:-3] for path in glob.glob(os.path.join(HERE, "*_test.py")))
    modules = [os.path.basename(module).removesuffix(".py") for module in modules]
    if os.environ.get("GATEHOUSE_BUILD") == "asan" and not options.modules:
        modules = [module for module in modules if module not in JUDGES_OF_FILES]
    board, begun = Board(), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for future in [pool.submit(board.follow, module, options.pattern) for module in modules]:
            future.result()
    alone = board.try_again_alone()
    for module, name, trouble, output in board.failures:
        print(f"\n{'=' * 100}\nFAIL {module}: {name}\n{trouble}")
        if output.strip():
            print(f"--- printed by the test\n{output}")
    if alone:
        print("\npassed only alone, not beside other tests:\n  " + "\n  ".join(alone))
    print(f"\ne2e: {board.passed} passed, {len(board.failures)} failed in {time.monotonic() - begun:.0f} s", flush=True)
    if options.tally:
        with open(options.tally, "w") as tally:
            tally.write(f"{board.passed} {len(board.failures)}\n")
    sys.exit(1 if board.failures or not board.passed else 0)


if __name__ == "__main__":
    main()
