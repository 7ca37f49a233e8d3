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
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BODY = '{"id":1,"name":"item","price":9.99,"tags":["a","b","c"],"description":"the quick brown fox jumps over"}'
POLICY = {"name": "per-client", "key": "client_address", "quota": 1000000, "window": "1s", "burst": 1000000}
FEATURES = {
    "rate_limit": {"without": {}, "policy": {"rate_limits": [POLICY]}, "policy, no fields": {"rate_limits": [{**POLICY, "headers": "none"}]}},
    "browser": {"without": {}, "all of it": {
        "security_headers": {"preset": "owasp"}, "cors": {"allow_origins": ["https://app.example.com"], "allow_credentials": True},
        "cookies": {}, "cross_site_guard": {"mode": "enforce"}}},
}
# As a browser sends them with a request from another origin.
FIELDS = ["Origin: https://app.example.com", "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"]


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def start(command, port, core, log):
    process = subprocess.Popen(["taskset", "-c", str(core), *command], stdout=log, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"{command[0]} ended with {process.returncode}; see {log.name}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{command[0]} does not listen on {port}")


def cpu_seconds(pid):
    tasks = os.listdir(f"/proc/{pid}/task")
    return sum(int(open(f"/proc/{pid}/task/{task}/schedstat").read().split()[0]) for task in tasks) / 1e9


def requests_of_wrk(port, seconds):
    done = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", "-c64", f"-d{seconds}s", *(part for field in FIELDS for part in ("-H", field)),
                           f"http://127.0.0.1:{port}/"],
                          capture_output=True, text=True).stdout
    if "Non-2xx" in done or "requests in" not in done:
        sys.exit(f"wrk: {done}")
    return int(re.search(r"(\d+) requests in", done).group(1))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--feature", choices=FEATURES, default="rate_limit")
    parser.add_argument("--binary", default="build/release/gatehouse")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seconds", type=int, default=1)
    options = parser.parse_args()
    started = []
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "out"), "w") as log:
        def write(name, text):
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
            return file.name
        try:
            app = free_port()
            started.append(start(["nginx", "-c", write("app.conf", f"""worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/err;
events {{ worker_connections 4096; }} http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 3600;
server {{ listen 127.0.0.1:{app} backlog=4096; location / {{ add_header Set-Cookie "session=0123456789abcdef; Path=/"; default_type application/json; return 200 '{BODY}'; }} }} }}""")], app, 1, log))
            proxies = {}
            for name, settings in FEATURES[options.feature].items():
                port = free_port()
                config = {"listeners": [{"address": f"127.0.0.1:{port}"}], "admin": {"address": f"unix:{folder}/admin{len(proxies)}"},
                          "workers": 1, "upstream": f"http://127.0.0.1:{app}", "log": {"output": f"{folder}/access{len(proxies)}"},
                          **settings}
                process = start([options.binary, "run", "--config", write(f"{len(proxies)}.yaml", json.dumps(config))], port, 0, log)
                proxies[name] = (port, process)
                started.append(process)
            for port, _ in proxies.values():
                requests_of_wrk(port, 1)
            costs = {name: [] for name in proxies}
            for number in range(options.rounds):
                # Each goes first in turn.
                order = list(proxies)[number % len(proxies):] + list(proxies)[:number % len(proxies)]
                for name in order:
                    port, process = proxies[name]
                    before = cpu_seconds(process.pid)
                    requests = requests_of_wrk(port, options.seconds)
                    costs[name].append((cpu_seconds(process.pid) - before) * 1e6 / requests)
                print("  ".join(f"{name} {values[-1]:.2f}" for name, values in costs.items()), flush=True)
            for name, values in costs.items():
                added = [value - base for value, base in zip(values, costs["without"])]
                print(f"{name:20} least {min(values):6.2f} us/request (added {min(values) - min(costs['without']):+.2f})   "
                      f"median {statistics.median(values):6.2f} (added {statistics.median(added):+.2f}) "
                      f"(middle half {sorted(added)[len(added) // 4]:+.2f} to {sorted(added)[-1 - len(added) // 4]:+.2f})")
        finally:
            for process in started:
                process.send_signal(signal.SIGTERM)
                process.wait(15)


if __name__ == "__main__":
    main()
