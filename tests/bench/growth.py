#!/usr/bin/python3
"""Whether Gatehouse grows with the requests it serves: resident memory after many of them against that after a hundred thousand.

usage: growth.py [--binary build/release/gatehouse] [--requests 10000000]     Needs nginx as the app, and wrk.
"""
import argparse
import os

from bench_load import BINARY, Stage, resident_kib, verdict, wrk

FIRST = 100_000


def serve(stage, port, log, done, until):
    while done < until:
        done += wrk(port, 1 if until - done < 200_000 else 10)
        os.truncate(log, 0)  # gigabytes otherwise
    return done


def measure(binary, requests):
    """Whether the goal is met."""
    with Stage() as stage:
        process, port = stage.gatehouse(binary, stage.app())
        log = os.path.join(stage.folder, f"access{port}.log")
        done = serve(stage, port, log, 0, FIRST)
        early, early_requests = resident_kib(process), done
        done = serve(stage, port, log, done, requests)
        late = resident_kib(process)
    print(f"resident after {early_requests} requests {early} KiB, after {done} requests {late} KiB")
    return verdict(f"growth of resident memory over {done} requests", (late / early - 1) * 100, 5, "%")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=BINARY)
    parser.add_argument("--requests", type=int, default=10_000_000)
    options = parser.parse_args()
    measure(options.binary, options.requests)
