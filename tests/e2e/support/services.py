"""Real services for an app to depend on, each in a folder of its own and as a user who is not root."""
import glob
import os
import pwd
import shutil
import subprocess
import tempfile

from .ports import free_port
from .process import Process, die_with_the_test, accepts
from .waiting import wait_until


class _Service(Process):
    """Keeps its folder and port, so that it can be ended and started again."""

    user = None

    def __init__(self):
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="gatehouse-service-")
        self._account = pwd.getpwnam(self.user) if os.getuid() == 0 else None
        if self._account:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        self.prepare()
        self.begin()

    def prepare(self):
        pass

    def become(self):
        if self._account:
            os.setgroups([])
            os.setgid(self._account.pw_gid)
            os.setuid(self._account.pw_uid)
            die_with_the_test()  # a new user forgets it

    def begin(self):
        """Starts it, also again after stop()."""
        super().__init__(self.command(), cwd=self.folder, before_exec=self.become)
        self.wait_until_it_listens(("127.0.0.1", self.port))

    def ends(self, number):
        self.stop(number)
        assert not accepts(("127.0.0.1", self.port))

    def __exit__(self, *_):
        self.send_signal(18)  # SIGCONT: a frozen process does not end
        self.stop(2)
        shutil.rmtree(self.folder, ignore_errors=True)


class Postgres(_Service):
    user = "postgres"
    password = "hunter2-and-more"

    def _program(self, name):
        found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
        assert found, "postgresql is not installed"
        return found[-1]

    def prepare(self):
        secret = os.path.join(self.folder, "secret")
        with open(secret, "w") as file:
            file.write(self.password)
        os.chmod(secret, 0o644)
        subprocess.run([self._program("initdb"), "-D", os.path.join(self.folder, "data"), "-U", "app", "-A", "scram-sha-256",
                        "--pwfile", secret, "--no-sync"], check=True, capture_output=True, cwd=self.folder, preexec_fn=self.become)

    def command(self):
        return [self._program("postgres"), "-D", os.path.join(self.folder, "data"), "-p", self.port, "-k", self.folder,
                "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]

    def begin(self):
        super().begin()
        # It listens before it lets anybody in.
        wait_until(lambda: subprocess.run(["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0, "PostgreSQL is ready", patience=60)

    def url(self, password=None, database="postgres"):
        return f"postgresql+asyncpg://app:{password or self.password}@127.0.0.1:{self.port}/{database}"


class Redis(_Service):
    user = "redis"
    password = "hunter2-and-more"

    def command(self):
        return ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--dir", self.folder,
                "--requirepass", self.password, "--unixsocket", os.path.join(self.folder, "redis.sock"), "--unixsocketperm", "777"]

    def url(self, password=None):
        return f"redis://:{password or self.password}@127.0.0.1:{self.port}/0"
