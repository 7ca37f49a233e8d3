#!/usr/bin/python3
"""What a feature adds to a request: processor time of Gatehouse with and without it.

usage: feature_cost.py [--feature rate_limit|browser] [--binary build/release/gatehouse] [--rounds 25] [--seconds 1]

Starts an app (nginx answering 103 bytes and a cookie) and Gatehouses that differ in one thing. `rate_limit`: no limit, one local policy
by client address, the same policy without response fields. `browser`: none of what faces browsers, and all of it (security headers, CORS,
cookie hardening, cross-site guard), with requests as a page of an allowed origin sends them. They take turns within a round, driven by
wrk with 64 connections; Gatehouse has core 0, load and app core 1. Printed is the kernel's own account of Gatehouse's processor
time for each request: the least of all rounds, which is what a busy machine disturbs least, the median, and the median of the differences
within a round. Needs nginx, wrk, taskset; two cores; a quiet moment: figures count only with machine and commit.
"""
import argparse
import json
import os
import statistics

from bench_load import Stage, cpu_seconds, free_port, on, wrk

POLICY = {"name": "per-client", "key": "client_address", "quota": 1000000, "window": "1s", "burst": 1000000}
FEATURES = {
    "rate_limit": {"without": {}, "policy": {"rate_limits": [POLICY]}, "policy, no fields": {"rate_limits": [{**POLICY, "headers": "none"}]}},
    "browser": {"without": {}, "all of it": {
        "security_headers": {"preset": "owasp"}, "cors": {"allow_origins": ["https://app.example.com"], "allow_credentials": True},
        "cookies": {}, "cross_site_guard": {"mode": "enforce"}}},
}
# As a browser sends them with a request from another origin.
FIELDS = ["Origin: https://app.example.com", "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--feature", choices=FEATURES, default="rate_limit")
    parser.add_argument("--binary", default="build/release/gatehouse")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seconds", type=int, default=1)
    options = parser.parse_args()
    with Stage() as stage:
        app = stage.app(cores=1, more='add_header Set-Cookie "session=0123456789abcdef; Path=/";')
        proxies = {}
        for name, settings in FEATURES[options.feature].items():
            port = free_port()
            config = {"listeners": [{"address": f"127.0.0.1:{port}"}], "admin": {"address": f"unix:{stage.folder}/admin{len(proxies)}"},
                      "workers": 1, "upstream": f"http://127.0.0.1:{app}", "log": {"output": os.path.join(stage.folder, f"access{port}")}, **settings}
            file = stage.write(f"{len(proxies)}.yaml", json.dumps(config))
            proxies[name] = (port, stage.start([*on(0), options.binary, "run", "--config", file], port))

        def load(port, seconds):
            return wrk(port, seconds, cores=1, headers=FIELDS)
        for port, _ in proxies.values():
            load(port, 1)
        costs = {name: [] for name in proxies}
        for number in range(options.rounds):
            # Each goes first in turn.
            order = list(proxies)[number % len(proxies):] + list(proxies)[:number % len(proxies)]
            for name in order:
                port, process = proxies[name]
                before = cpu_seconds(process)
                requests = load(port, options.seconds)
                costs[name].append((cpu_seconds(process) - before) * 1e6 / requests)
            print("  ".join(f"{name} {values[-1]:.2f}" for name, values in costs.items()), flush=True)
    for name, values in costs.items():
        added = [value - base for value, base in zip(values, costs["without"])]
        print(f"{name:20} least {min(values):6.2f} us/request (added {min(values) - min(costs['without']):+.2f})   "
              f"median {statistics.median(values):6.2f} (added {statistics.median(added):+.2f}) "
              f"(middle half {sorted(added)[len(added) // 4]:+.2f} to {sorted(added)[-1 - len(added) // 4]:+.2f})")


if __name__ == "__main__":
    main()
