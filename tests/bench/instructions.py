#!/usr/bin/python3
"""What one request costs Gatehouse: instructions (callgrind), heap allocations and system calls, the same on every run.

usage: instructions.py [--binary build/release/gatehouse] [--scenario plain tls] [--requests N] [--top N] [--check | --update]

One client sends keep-alive GET requests, one after the other, through Gatehouse with bench.yaml (everything on) to an app that answers
a hundred bytes. Counted is a batch of requests after a warm-up, in the worker's thread, outside the kernel; figures are per request. Timers
stand still meanwhile and nothing is sent before Gatehouse rests: what is counted does not depend on how busy the machine is.
  --check    fails where a figure is more than 3 % above instruction_budget.json
  --update   writes the figures to instruction_budget.json, and all of what is printed to README.md
  --top N    also shows the N functions with most instructions of their own
Counts depend on compiler and C library: the budget names those it was made with. Needs valgrind and strace.
"""
import argparse
import collections
import glob
import json
import os
import platform
import re
import subprocess
import sys
import time

from callgrind_profile import Profile
from one_client import HERE, OneClient

BUDGET = os.path.join(HERE, "instruction_budget.json")
README = os.path.join(HERE, "README.md")
BEGIN, END = "<!-- written by instructions.py --update -->", "<!-- end -->"
SCENARIOS = ["plain", "tls"]
TOLERANCE = 0.03
WARM_UP = 200
# Plain functions whose calls, with all below them, are a stage; none of them calls another. (name, callee, caller)
STAGES = [
    ("read from client and app", r"ByteSource::fill\(", ""),
    ("find the end of both heads", r"HeadScanner::scan\(", ""),
    ("parse the request head", r"http::parse_request_head\(", ""),
    ("client address, route, body", r"Session::(settle_client_address|prepare_body)\(|Router::find\(", ""),
    ("filters", r"::on_(request|response)\(", r"Chain::"),
    ("write the request head", r"http::write_request_head\(", ""),
    ("connection pool", r"Cluster::(take_idle|give_back)\(", ""),
    ("parse the response head", r"http::parse_response_head\(", ""),
    ("write the response head", r"http::write_response_head\(", ""),
    ("write to client and app", r"Stream::try_write\(", ""),
    ("count and record", r"Recorder::finished\(", ""),
]
LOG_LINE = ("  of which the log line", r"^gatehouse::write_access_record\(", "")
# Coroutines: what they do between two waits themselves, the stages above left out.
COROUTINES = [
    ("session, the rest", r"Session::.*\.(actor|destroy)\]"),
    ("forward, the rest", r"(Forward::|attempt\(|read_response_head\(|finish_forward\().*\.(actor|destroy)\]"),
    ("chain and others, the rest", r"^gatehouse::(?!proxy::).*\.(actor|destroy)\]"),
]
RESUMED_BY = r"^(?!gatehouse::)"


def count_instructions(binary, tls, requests):
    """The worker's profile of `requests` requests, and the instructions of all other threads."""
    tool = ["valgrind", "--tool=callgrind", "--separate-threads=yes", "--callgrind-out-file={folder}/profile"]
    with OneClient(binary, tool, tls, still=True) as run:
        def cut():
            # What is written down starts again from nothing.
            subprocess.run(["vgdb", f"--pid={run.process.pid}", "dump"], check=True, capture_output=True, timeout=60)
        run.requests(WARM_UP)
        cut()
        run.requests(requests)
        cut()
        threads = sorted((Profile(file) for file in glob.glob(os.path.join(run.folder, "profile.2-*"))), key=lambda one: one.instructions)
        return threads[-1], sum(one.instructions for one in threads[:-1])


def count_system_calls(binary, tls, requests):
    """{name: calls} of `requests` requests by the worker, and how many by all other threads."""
    with OneClient(binary, ["strace", "-D", "-f", "-ttt", "-o", "{folder}/calls"], tls, still=True) as run:
        run.requests(WARM_UP)
        began = time.time()
        run.requests(requests)
        ended = time.time()
        run.end()
        threads = collections.defaultdict(collections.Counter)
        with open(os.path.join(run.folder, "calls"), errors="replace") as file:
            for line in file:
                called = re.match(r"(\d+) +([\d.]+) (\w+)\(", line)
                if called and began <= float(called.group(2)) <= ended:
                    threads[called.group(1)][called.group(3)] += 1
        by_size = sorted(threads.values(), key=lambda one: one.total())
        return by_size[-1], sum(one.total() for one in by_size[:-1])


def stages(profile, requests):
    """(name, instructions per request); they add up to the whole."""
    found = [(name, profile.inclusive(callee, caller)[1]) for name, callee, caller in STAGES]
    counted = profile.parts_below([stage[1:] for stage in STAGES])
    for name, coroutine in COROUTINES:
        found.append((name, sum(cost * (1 - counted.get(to, 0)) for (by, to), (_, cost) in profile.arcs.items()
                                if re.search(coroutine, to) and re.search(RESUMED_BY, by))))
    found.append(("event loop", profile.instructions - sum(cost for _, cost in found)))
    found.insert(len(STAGES), (LOG_LINE[0], profile.inclusive(*LOG_LINE[1:])[1]))
    return [(name, cost / requests) for name, cost in found]


def measure(binary, scenario, requests, top):
    """(the figures that have a budget, lines that tell them and their parts)."""
    tls = scenario == "tls"
    profile, elsewhere = count_instructions(binary, tls, requests)
    calls, calls_elsewhere = count_system_calls(binary, tls, requests)
    asked = profile.allocations()
    found = {"instructions": round(profile.instructions / requests), "allocations": round(sum(asked.values()) / requests, 2),
             "system_calls": round(sum(calls.values()) / requests, 2)}
    lines = [f"{scenario}: {found['instructions']} instructions, {found['system_calls']:.2f} system calls, "
             f"{found['allocations']:.2f} allocations per request"]
    # What the compiler made part of its caller cannot be told apart.
    lines += [f"  {name:34} {cost:8.0f}" if cost else f"  {name:34}  (inlined)" for name, cost in stages(profile, requests)]
    lines.append("  system calls: " + ", ".join(f"{name} {count / requests:.2f}" for name, count in calls.most_common() if count >= requests / 50))
    lines.append(f"  other threads: {elsewhere / requests:.0f} instructions, {calls_elsewhere / requests:.2f} system calls")
    lines += [f"  {count / requests:5.2f} allocations by {name[:150]}" for name, count in asked.most_common(10) if count >= requests / 50]
    lines += [f"  {own / requests:8.1f} own {inclusive / requests:9.1f} inclusive {count / requests:7.2f} calls  {name[:150]}"
              for name, count, own, inclusive in profile.dearest(top)]
    return found, lines


def toolchain(binary):
    """What the counts depend on."""
    comment = subprocess.run(["readelf", "-p", ".comment", binary], check=True, capture_output=True, text=True).stdout
    compilers = sorted(set(re.findall(r"(GCC|clang)[^\n]*?(\d+\.\d+\.\d+)\s*$", comment, re.M)))
    return ", ".join([platform.machine(), *(" ".join(one) for one in compilers), os.confstr("CS_GNU_LIBC_VERSION")])


def tell_readme(lines):
    with open(README) as file:
        before, _, rest = file.read().partition(BEGIN)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True).stdout.strip()
    with open(README, "w") as file:
        file.write(before + BEGIN + "\n```\n" + "\n".join([f"commit {commit or 'unknown'}, {lines[0]}", *lines[1:]]) + "\n```\n" + END + rest.partition(END)[2])


def over_budget(found, budget):
    for scenario, figures in found.items():
        for name, figure in figures.items():
            allowed = budget[scenario][name]
            if figure > allowed * (1 + TOLERANCE) + (0.1 if name != "instructions" else 0):
                yield f"{scenario}: {figure} {name.replace('_', ' ')} per request, more than {TOLERANCE:.0%} above the budget of {allowed}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="build/release/gatehouse")
    parser.add_argument("--scenario", nargs="+", choices=SCENARIOS, default=SCENARIOS)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--top", type=int, default=0)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true")
    what.add_argument("--update", action="store_true")
    options = parser.parse_args()
    made_with = toolchain(options.binary)
    with open(BUDGET) as file:
        budgets = json.load(file)
    if options.check and made_with not in budgets:
        sys.exit(f"{BUDGET} has no figures for {made_with}, only for {'; '.join(budgets)}.\n"
                 "Counts of different compilers and C libraries do not compare: use Debian 12's, or add yours with --update.")
    told, found = [made_with], {}
    print(made_with)
    for scenario in options.scenario:
        found[scenario], lines = measure(options.binary, scenario, options.requests, options.top)
        print("\n".join(lines), flush=True)
        told += lines
    if options.update:
        budgets[made_with] = {**budgets.get(made_with, {}), **found}
        with open(BUDGET, "w") as file:
            file.write(json.dumps(budgets, indent=2) + "\n")
        if len(found) == len(SCENARIOS):
            tell_readme(told)
    if options.check:
        failures = list(over_budget(found, budgets[made_with]))
        print("\n".join(failures) if failures else "within the budget")
        sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
