#!/usr/bin/python3
"""How long a scrape of /metrics takes, and whether it delays requests.

usage: GATEHOUSE_BINARY=build/release/gatehouse tests/bench/scrape.py [SERIES]
Makes requests until /metrics has at least SERIES (default 2000) series, which are its lines, then scrapes in each form, then measures requests with and without
scrapes beside them. Figures mean something on a machine that does nothing else."""
import os
import statistics
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../e2e"))
from support.apps import ScriptedUpstream  # noqa: E402
from support.gatehouse import Gatehouse  # noqa: E402
from support.http_client import Connection, fetch  # noqa: E402

STATUSES = (200, 201, 204, 301, 304, 400, 401, 404, 409, 500)


def play(connection):
    while True:
        connection.reply(b"", status=f"{connection.read_request().target[-3:]} Said")


def percentiles(times):
    ordered = sorted(times)
    return "  ".join(f"p{share:g} {ordered[min(int(len(ordered) * share / 100), len(ordered) - 1)] * 1000:.3f} ms" for share in (50, 99, 99.9))


def requests(proxy, seconds, beside=None):
    """Durations of requests, one after the other, with `beside` running in a thread of its own."""
    ended, times = threading.Event(), []
    helper = threading.Thread(target=beside, args=(ended,)) if beside else None
    if helper:
        helper.start()
    with proxy.connect() as connection:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.perf_counter()
            connection.fetch("GET", "/r0/200")
            times.append(time.perf_counter() - began)
    ended.set()
    if helper:
        helper.join()
    return times


def main():
    # A combination of route, method and status has three histograms of 17 lines.
    series = -(-(int(sys.argv[1]) if len(sys.argv) > 1 else 2000) // 51)
    routes = -(-series // len(STATUSES))
    with ScriptedUpstream(play) as app, Gatehouse({
            "upstream": app.url, "metrics": {"max_series": max(series, 10)}, "log": {"access": {"enabled": False}},
            "routes": [{"match": {"path": f"/r{i}/*"}} for i in range(routes)]}) as proxy:
        with proxy.connect() as connection:
            for i in range(series):
                connection.fetch("GET", f"/r{i // len(STATUSES)}/{STATUSES[i % len(STATUSES)]}")
        forms = {"text": [], "OpenMetrics": [("Accept", "application/openmetrics-text")], "text, gzip": [("Accept-Encoding", "gzip")]}
        for name, headers in forms.items():
            times = []
            for _ in range(30):
                with Connection(proxy.admin) as connection:
                    began = time.perf_counter()
                    page = connection.fetch("GET", "/metrics", headers)
                    times.append(time.perf_counter() - began)
            lines = page.body.count(b"\n") if "gzip" not in name else 0
            print(f"{name}: {len(page.body)} bytes{f', {lines} lines' if lines else ''}: "
                  f"median {statistics.median(times) * 1000:.1f} ms, worst {max(times) * 1000:.1f} ms")

        def scrape(ended):
            while not ended.wait(0.1):
                fetch(proxy.admin, "/metrics")
        print("requests alone:        ", percentiles(requests(proxy, 5)))
        print("with ten scrapes a second:", percentiles(requests(proxy, 5, scrape)))


if __name__ == "__main__":
    main()
