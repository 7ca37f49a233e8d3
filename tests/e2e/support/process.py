"""Programs that a test starts: their output is collected, and they never outlive the test."""
import ctypes
import os
import signal
import socket
import subprocess
import threading

from .waiting import wait_until

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def die_with_the_test():
    """For preexec_fn: whoever dies early takes the program along."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def accepts(address):
    """Whether something listens there. `address` is (host, port) or the path of a Unix socket."""
    try:
        if isinstance(address, str):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(address)
        else:
            socket.create_connection(address, 1).close()
        return True
    except OSError:
        return False


class Process:
    """A started program. Use as a context manager: it is ended with SIGTERM, and killed where that does not help."""

    def __init__(self, command, env=None, cwd=None, before_exec=None, on_line=None):
        def prepare():
            die_with_the_test()
            if before_exec:
                before_exec()

        self.name = os.path.basename(command[0])
        self.popen = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})}, cwd=cwd, preexec_fn=prepare)
        self.stdout, self.stderr = [], []
        self._readers = [threading.Thread(target=self._collect, args=pair, daemon=True)
                         for pair in ((self.popen.stdout, self.stdout, on_line), (self.popen.stderr, self.stderr, None))]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _collect(stream, lines, on_line):
        for line in stream:
            lines.append(line.decode("utf-8", "surrogateescape").rstrip("\n"))
            if on_line:
                on_line(lines[-1])

    @property
    def pid(self):
        return self.popen.pid

    def output(self):
        lines = ["stdout:"] + self.stdout[-30:] + ["stderr:"] + self.stderr[-80:]
        return "\n".join(line if len(line) < 1000 else line[:1000] + "..." for line in lines)

    def wait_for(self, condition, what):
        """Like wait_until, but gives up as soon as the program has ended."""
        def check():
            if self.popen.poll() is not None:
                self._join()
                raise AssertionError(f"{self.name} ended with {self.popen.returncode} before: {what}\n{self.output()}")
            return condition()
        try:
            return wait_until(check, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output()}") from None

    def wait_until_it_listens(self, address):
        self.wait_for(lambda: accepts(address), f"{self.name} listens on {address}")
        return self

    def send_signal(self, number):
        if self.popen.poll() is None:
            self.popen.send_signal(number)

    def wait(self, patience=30):
        """The exit code, with all output collected."""
        try:
            self.popen.wait(patience)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            self._join()
            raise AssertionError(f"{self.name} did not end within {patience} s\n{self.output()}") from None
        self._join()
        return self.popen.returncode

    def _join(self):
        for reader in self._readers:
            reader.join(5)

    def stop(self, number=signal.SIGTERM):
        self.send_signal(number)
        try:
            return self.wait(10)
        except AssertionError:
            return self.popen.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # What the kernel knows about the process.

    def peak_memory_kib(self):
        """High-water mark of the resident memory."""
        return self._status("VmHWM")

    def reset_peak_memory(self):
        with open(f"/proc/{self.pid}/clear_refs", "w") as refs:
            refs.write("5")

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, key):
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith(key + ":"):
                    return int(line.split()[1])
        raise KeyError(key)
