#!/usr/bin/python3
"""How small and how quick to start Gatehouse is: size of the stripped binary, time from start to the first answer that came from the app, and
resident memory at that moment.

usage: footprint.py [--binary build/release/gatehouse] [--starts 20]     Needs nginx as the app, binutils.
"""
import argparse
import os
import socket
import statistics
import subprocess
import time

from bench_load import BINARY, BODY, Stage, cpu_seconds, end, resident_kib, verdict
from support.ports import free_port
from support.process import die_with_the_test

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def stripped_bytes(stage, binary):
    copy = os.path.join(stage.folder, "stripped")
    subprocess.run(["strip", "-o", copy, binary], check=True)
    return os.path.getsize(copy)


def answer(port):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(REQUEST)
        got = b""
        while piece := client.recv(65536):
            got += piece
        return got


def start(stage, binary, app):
    """(seconds to the first answer, seconds of processor time until then, resident KiB then) of one start."""
    port = free_port()
    environment, config = stage.environment(app, port), stage.config()
    with open(os.path.join(stage.folder, "out"), "a") as out:
        began = time.perf_counter()
        process = subprocess.Popen([binary, "run", "--config", config], env={**os.environ, **environment}, stdout=out, stderr=out,
                                   preexec_fn=die_with_the_test)
    try:
        while True:
            try:
                got = answer(port)
                break
            except ConnectionRefusedError:
                assert process.poll() is None and time.perf_counter() - began < 10, f"see {out.name}"
                time.sleep(0.0005)
        took = time.perf_counter() - began
        assert got.startswith(b"HTTP/1.1 200 ") and BODY.encode() in got, got
        return took, cpu_seconds(process), resident_kib(process)
    finally:
        end(process)


def measure(binary, starts):
    """Whether all goals are met."""
    with Stage() as stage:
        size = stripped_bytes(stage, binary) / (1 << 20)
        app = stage.app()
        seconds, worked, resident = zip(*(start(stage, binary, app) for _ in range(starts)))
    print(f"start to first answer: processor time {statistics.median(worked) * 1000:.2f} ms (median); where others use the machine, it waits as well")
    return all([verdict("stripped binary", size, 6, "MiB"),
                verdict("start to first answer (median)", statistics.median(seconds) * 1000, 50, "ms"),
                verdict("resident memory at start (most)", max(resident) / 1024, 15, "MiB")])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=BINARY)
    parser.add_argument("--starts", type=int, default=20)
    options = parser.parse_args()
    measure(options.binary, options.starts)
