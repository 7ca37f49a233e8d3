"""The comparison with nginx, HAProxy and the kernel's floor: runs the harness, which lies outside this tree, and holds its figures against the
goals. GATEHOUSE_COMPARE names it."""
import json
import os
import subprocess
import sys
import tempfile

from bench_load import HERE, ROOT

# Most that a request (or, idle, a connection) may cost, as a part of what it costs the peer.
GOALS = {
    "plain": {"nginx": 0.70, "haproxy": 0.65, "floor": 1.35},
    "plain-512": {"nginx": 0.70, "haproxy": 0.65, "floor": 1.35},
    "plain-1": {"nginx": 0.90, "haproxy": 0.80, "floor": 1.20},
    "connect": {"nginx": 0.90, "haproxy": 0.90},
    "tls": {"nginx": 0.80, "haproxy": 0.75},
    "handshake": {"nginx": 0.95, "haproxy": 0.60},
    "100k": {"nginx": 0.95, "haproxy": 0.90, "floor": 1.15},
    "bulk": {"nginx": 0.95, "haproxy": 0.90, "floor": 1.15},
    "bulk-tls": {"nginx": 0.90, "haproxy": 0.80},
    "idle": {"haproxy": 2.0},
    "idle-tls": {"nginx": 1.00, "haproxy": 0.90},
}
IDLE_KIB = 2.5  # nginx keeps so little for an idle connection that a ratio would say nothing
LATENCY = "plain-1"  # where p50 and p99 have the same goals as processor time


def harness():
    """Its path, or None."""
    place = os.environ.get("GATEHOUSE_COMPARE") or os.path.join(ROOT, "..", "shared", "bench", "compare.py")
    return os.path.abspath(place) if os.path.exists(place) else None


def run(binary, scenarios, rounds, seconds):
    """The harness's figures: {scenario: {subject: {value, p50, ...}, unit}}. Its own lines go to stderr as they come."""
    with tempfile.TemporaryDirectory() as folder:
        figures = os.path.join(folder, "figures.json")
        done = subprocess.run([sys.executable, harness(), "--subject", f"{binary} run --config {os.path.join(HERE, 'bench.yaml')}", "--scenario", *scenarios,
                        "--rounds", str(rounds), "--seconds", str(seconds), "--json", figures], stdout=sys.stderr)
        if done.returncode != 0:
            sys.exit("the comparison's harness failed")
        with open(figures) as file:
            return json.load(file)


def rows(results):
    """(scenario, unit, {who: figure}, {peer: (ratio, goal)}, failed requests of Gatehouse) for each measured thing."""
    for scenario, row in results.items():
        measured = {who: figures for who, figures in row.items() if who != "unit"}
        goals = GOALS.get(scenario, {})

        def against(key):
            ours = measured["subject"][key]
            return {peer: (ours / max(figures[key], 1e-9), goals.get(peer)) for peer, figures in measured.items() if peer != "subject"}

        yield scenario, row["unit"], {who: one["value"] for who, one in measured.items()}, against("value"), measured["subject"]["errors"]
        if scenario == LATENCY:
            for key in ("p50", "p99"):
                figures = {who: one[key] * 1e6 for who, one in measured.items()}
                yield f"{scenario} {key}", "us", figures, {peer: pair for peer, pair in against(key).items() if peer != "floor"}, 0


def table(results):
    """The figures as a table of Markdown; whether every goal is met."""
    print("| scenario | unit | Gatehouse | nginx | HAProxy | floor | against nginx | against HAProxy | against the floor |\n|---|---|---|---|---|---|---|---|---|")
    all_met = True

    def judged(ratio, goal):
        nonlocal all_met
        if goal is None:
            return f"{ratio:.2f}"
        all_met = all_met and ratio <= goal
        return f"{ratio:.2f} (goal {goal:.2f}: {'met' if ratio <= goal else 'NOT MET'})"

    for scenario, unit, figures, ratios, failed in rows(results):
        cells = [judged(*ratios[peer]) if peer in ratios else "" for peer in ("nginx", "haproxy", "floor")]
        if scenario == "idle":
            met = figures["subject"] <= IDLE_KIB
            all_met = all_met and met
            cells[0] = f"{ratios['nginx'][0]:.2f} (goal {IDLE_KIB} KiB: {'met' if met else 'NOT MET'})" if "nginx" in ratios else ""
        if failed:
            all_met = False
            scenario += f" ({failed} FAILED)"
        values = [f"{figures[who]:.2f}" if who in figures else "" for who in ("subject", "nginx", "haproxy", "floor")]
        print("| " + " | ".join([scenario, unit, *values, *cells]) + " |")
    return all_met
