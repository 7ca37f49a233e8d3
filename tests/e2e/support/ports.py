"""Ports that nobody else uses, also when several test processes look for some at the same time."""
import fcntl
import os
import random
import socket
import tempfile

_held = {}  # port -> lock file, kept open until this process ends
_FOLDER = os.path.join(tempfile.gettempdir(), f"gatehouse-test-ports-{os.getuid()}")


def free_port():
    """A TCP port that is free on IPv4 and IPv6. Below the range the kernel takes client ports from, so that no
    connection of another test can sit on it."""
    os.makedirs(_FOLDER, exist_ok=True)
    while True:
        port = random.randrange(12000, 30000)
        if port in _held:
            continue
        lock = open(os.path.join(_FOLDER, str(port)), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                with socket.socket(family) as probe:
                    if family == socket.AF_INET6:
                        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    probe.bind((host, port))
        except OSError:
            lock.close()
            continue
        _held[port] = lock
        return port
