#!/usr/bin/python3
"""What a second worker costs: processor time per request of Gatehouse with two workers against one, under the same load.

usage: worker_cost.py [--binary build/release/gatehouse] [--rounds 7] [--seconds 3]     Needs nginx as the app, and wrk.

Both run at the same time but take turns under load; everything may use every core. The figure is the median of the rounds' ratios.
"""
import argparse
import statistics

from bench_load import BINARY, Stage, cpu_seconds, verdict, wrk


def cost(process, port, seconds):
    """Microseconds of processor time per request."""
    before = cpu_seconds(process)
    requests = wrk(port, seconds)
    return (cpu_seconds(process) - before) * 1e6 / requests


def measure(binary, rounds, seconds):
    """Whether the goal is met."""
    with Stage() as stage:
        app = stage.app()
        one, two = stage.gatehouse(binary, app, workers=1), stage.gatehouse(binary, app, workers=2)
        for process, port in (one, two):
            wrk(port, 1)
        pairs = []
        for number in range(rounds):
            # Each goes first in turn.
            order = (one, two) if number % 2 == 0 else (two, one)
            costs = {process.pid: cost(process, port, seconds) for process, port in order}
            pairs.append((costs[one[0].pid], costs[two[0].pid]))
    print(f"CPU per request: one worker {statistics.median(a for a, _ in pairs):.2f} us, two workers {statistics.median(b for _, b in pairs):.2f} us (medians)")
    return verdict("CPU per request of 2 workers / 1", statistics.median(b / a for a, b in pairs), 1.10, "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=BINARY)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    options = parser.parse_args()
    measure(options.binary, options.rounds, options.seconds)
