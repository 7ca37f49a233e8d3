"""Images and containers, through Docker where its daemon answers, else through podman and buildah: from Debian's packages, with a base
image made by debootstrap where no registry can be asked."""
import glob
import json
import os
import shutil
import subprocess
import sys

from .process import Process

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
_PACKAGES = ["podman", "buildah", "runc", "iptables", "netavark", "aardvark-dns", "catatonit", "conmon", "debootstrap", "docker-compose"]


def say(text):
    print(text, file=sys.stderr, flush=True)


def choose():
    if shutil.which("docker") and subprocess.run(["docker", "version"], capture_output=True).returncode == 0:
        return Docker()
    return Podman()


class Engine:
    """`program` understands run, exec, stop, inspect, save and export, the same for both."""

    environment = None

    def call(self, *arguments, check=True, **options):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, env=self.environment, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"{self.program} {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}")
        return done

    def container(self, image, *arguments, options=()):
        return Container(self, image, options, arguments)

    def inspect(self, name):
        return json.loads(self.call("inspect", name).stdout)[0]

    def compose_command(self):
        if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
            return ["docker", "compose"]
        return ["docker-compose"]


class Docker(Engine):
    program = "docker"
    docker_host = None

    def base(self, suite):
        return f"docker.io/library/debian:{suite}-slim"

    def build(self, tag, folder, *options):
        say(f"building {tag} with Docker")
        subprocess.run(["docker", "build", "--tag", tag, *options, folder], check=True, stdout=sys.stderr,
                       env={**os.environ, "DOCKER_BUILDKIT": "1"})

    def api(self):
        return None


class Podman(Engine):
    """Keeps everything in one folder, CONTAINER_HOME, beside whatever else uses podman on this machine."""

    program = "podman"

    def __init__(self):
        if os.getuid() != 0:
            sys.exit("without a Docker daemon this must run as root")
        if not all(shutil.which(name) for name in ("podman", "buildah", "runc", "debootstrap", "docker-compose")):
            say("installing podman, buildah and debootstrap")
            subprocess.run(["apt-get", "update", "-q"], check=True, stdout=sys.stderr)
            subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", *_PACKAGES], check=True, stdout=sys.stderr,
                           env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        self.home = os.environ.get("CONTAINER_HOME", "/var/tmp/gatehouse-containers")
        os.makedirs(self.home, exist_ok=True)
        files = {
            # No systemd: cgroups and events without it, and no more than this machine allows. runc, for crun refuses hybrid cgroups.
            "containers.conf": '[containers]\ndefault_ulimits = ["nofile={0}:{0}", "nproc=4096:4096"]\n[engine]\ncgroup_manager = "cgroupfs"\n'
                               'events_logger = "file"\nruntime = "runc"\n[network]\nnetwork_backend = "netavark"\n'
                               .format(min(65536, _hard_limit())),
            "registries.conf": 'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "permissive"\n',
            "storage.conf": f'[storage]\ndriver = "overlay"\ngraphroot = "{self.home}/store"\nrunroot = "{self.home}/run"\n',
        }
        for name, text in files.items():
            with open(os.path.join(self.home, name), "w") as file:
                file.write(text)
        self.environment = {**os.environ, "BUILDAH_ISOLATION": "chroot", "CONTAINERS_CONF": f"{self.home}/containers.conf",
                            "CONTAINERS_REGISTRIES_CONF": f"{self.home}/registries.conf", "CONTAINERS_STORAGE_CONF": f"{self.home}/storage.conf"}
        self.docker_host = f"unix://{self.home}/podman.sock"

    def base(self, suite):
        """An image like debian:SUITE-slim, made on the spot the first time."""
        tag = f"localhost/debian:{suite}-slim"
        if self.call("image", "exists", tag, check=False).returncode == 0:
            return tag
        say(f"making {tag} with debootstrap")
        root = os.path.join(self.home, f"rootfs-{suite}")
        sources = _sources(suite)
        if not os.path.isdir(os.path.join(root, "etc/apt")):
            subprocess.run(["debootstrap", "--variant=minbase", suite, root, sources[0]], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(root, "etc/apt/sources.list"), "w") as file:
            file.write("".join(line + "\n" for line in sources[1]))
        for pattern in ("var/cache/apt/archives/*.deb", "var/lib/apt/lists/*", "usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*"):
            for path in glob.glob(os.path.join(root, pattern)):
                shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.remove(path)
        folder = os.path.join(self.home, "base")
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["tar", "-C", root, "--numeric-owner", "-cf", os.path.join(folder, "rootfs.tar"), "."], check=True)
        with open(os.path.join(folder, "Dockerfile"), "w") as file:
            file.write('FROM scratch\nADD rootfs.tar /\nCMD ["/bin/bash"]\n')
        self.build(tag, folder)
        shutil.rmtree(folder)
        return tag

    def build(self, tag, folder, *options):
        say(f"building {tag} with buildah; the log is {self.home}/build.log")
        with open(os.path.join(self.home, "build.log"), "a") as log:
            done = subprocess.run(["buildah", "bud", "--pull-never", "--layers", "--format", "docker", "--tag", tag, *options, folder],
                                  stdout=log, stderr=subprocess.STDOUT, env=self.environment)
        if done.returncode != 0:
            with open(os.path.join(self.home, "build.log")) as log:
                sys.exit("".join(log.readlines()[-60:]))

    def api(self):
        """Serves Docker's API on a socket; to be entered."""
        return _Api(self)


class _Api(Process):
    def __init__(self, podman):
        super().__init__(["podman", "system", "service", "--time", "0", podman.docker_host], env=podman.environment)
        path = podman.docker_host.removeprefix("unix://")
        self.wait_until_it_listens(path)


class Container:
    """A running container; removed at the end of the `with` block."""

    def __init__(self, engine, image, options, arguments):
        self.engine = engine
        self.id = engine.call("run", "--detach", *options, image, *arguments).stdout.strip().splitlines()[-1]
        self.name = image

    def state(self):
        return self.engine.inspect(self.id)["State"]

    def pid(self):
        return self.state()["Pid"]

    def process_status(self):
        """/proc/PID/status of its first process, as the host sees it."""
        with open(f"/proc/{self.pid()}/status") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)

    def run_inside(self, *command):
        return self.engine.call("exec", self.id, *command, check=False)

    def output(self):
        done = self.engine.call("logs", self.id, check=False)
        return done.stdout + done.stderr

    def stop(self, seconds=40):
        """Asks it to end, as `docker stop` does; its exit code."""
        self.engine.call("stop", "--time", seconds, self.id)
        return self.state()["ExitCode"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.engine.call("rm", "--force", self.id, check=False)


def _hard_limit():
    import resource
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def _sources(suite):
    """The mirror that this Debian uses, and the lines of a sources.list for another suite."""
    known = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], capture_output=True, text=True).stdout.split()
    mirror = next((uri for uri in known if uri.rstrip("/").endswith("/debian")), "http://deb.debian.org/debian")
    security = next((uri for uri in known if uri.rstrip("/").endswith("/debian-security")), "http://deb.debian.org/debian-security")
    return mirror, [f"deb {mirror} {suite} main", f"deb {mirror} {suite}-updates main", f"deb {security} {suite}-security main"]
