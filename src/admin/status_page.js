"use strict";
// Reads /metrics and /health every few seconds and shows them. What is shown is text only: nothing that comes is ever taken for HTML.

const PERIOD_MS = 2000;
const HISTORY = 150;  // five minutes
const DRAWN = 60;     // two of them

const $ = id => document.getElementById(id);
const make = (name, properties = {}, ...children) => {
  const element = document.createElement(name);
  Object.assign(element, properties);
  element.append(...children);
  return element;
};

// --- The exposition format -------------------------------------------------------------------------------------------

// [{name, labels, value}] of the text format 0.0.4.
function parse(text) {
  const samples = [];
  for (const line of text.split("\n")) {
    if (!line || line[0] === "#") continue;
    let at = 0;
    while (at < line.length && line[at] !== "{" && line[at] !== " ") ++at;
    const name = line.slice(0, at), labels = {};
    if (line[at] === "{") {
      ++at;
      while (at < line.length && line[at] !== "}") {
        const equals = line.indexOf("=", at), key = line.slice(at, equals);
        let value = "";
        for (at = equals + 2; line[at] !== '"'; ++at) {
          if (line[at] === "\\") value += line[++at] === "n" ? "\n" : line[at];
          else value += line[at];
        }
        labels[key] = value;
        if (line[++at] === ",") ++at;
      }
      ++at;
    }
    samples.push({name, labels, value: Number(line.slice(at).trim().replace("Inf", "Infinity"))});
  }
  return samples;
}

class Metrics {
  constructor(text, time) {
    this.time = time;
    this.families = new Map();
    for (const sample of parse(text)) {
      if (!this.families.has(sample.name)) this.families.set(sample.name, []);
      this.families.get(sample.name).push(sample);
    }
  }
  all(name) { return this.families.get(name) || []; }
  sum(name, wanted = () => true) {
    return this.all(name).reduce((total, sample) => wanted(sample.labels) ? total + sample.value : total, 0);
  }
  // Counts up to each bound, of all series that are wanted.
  buckets(name, wanted = () => true) {
    const counts = new Map();
    for (const sample of this.all(name + "_bucket")) {
      if (!wanted(sample.labels)) continue;
      const bound = Number(sample.labels.le.replace("Inf", "Infinity"));
      counts.set(bound, (counts.get(bound) || 0) + sample.value);
    }
    return [...counts].sort((a, b) => a[0] - b[0]);
  }
}

// As Prometheus' histogram_quantile: linear inside a bucket. Nothing where nothing was counted.
function quantile(share, buckets) {
  if (!buckets.length) return null;
  const rank = share * buckets[buckets.length - 1][1];
  if (rank <= 0) return null;
  let below = 0, lower = 0;
  for (const [bound, count] of buckets) {
    if (count >= rank) return bound === Infinity ? lower : lower + (bound - lower) * ((rank - below) / (count - below));
    below = count;
    lower = bound;
  }
  return lower;
}

// --- Words -----------------------------------------------------------------------------------------------------------

function duration(seconds) {
  if (seconds === null || !isFinite(seconds)) return "–";
  if (seconds < 0.001) return Math.round(seconds * 1e6) + " µs";
  if (seconds < 1) return Number((seconds * 1e3).toPrecision(3)) + " ms";
  return Number(seconds.toPrecision(3)) + " s";
}

function span(seconds) {
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  let at = units.findIndex(([, size]) => seconds >= size);
  if (at < 0) return "0 s";
  const [unit, size] = units[at], whole = Math.floor(seconds / size);
  if (at === units.length - 1) return `${whole} s`;
  const rest = Math.floor((seconds - whole * size) / units[at + 1][1]);
  return rest ? `${whole} ${unit} ${rest} ${units[at + 1][0]}` : `${whole} ${unit}`;
}

const number = value => value.toLocaleString("en-US", {maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0});
const percent = value => isFinite(value) ? (value * 100).toLocaleString("en-US", {maximumFractionDigits: value < 0.1 ? 2 : 1}) + " %" : "–";
const ago = time => span(Math.max(0, (Date.now() - new Date(time)) / 1000)) + " ago";
const WORDS = {pass: "✓ well", warn: "! warning", fail: "✕ failing"};
const pill = status => make("span", {className: "pill " + status, textContent: WORDS[status] || status});

// --- Pieces of the page ----------------------------------------------------------------------------------------------

// Columns: [title, class]. The first cell of a row is its header. Built anew only when something changed, so that a selection or
// a screen reader's place is not lost every two seconds.
function table(id, caption, columns, rows, none) {
  const target = $(id), text = cell => cell instanceof Node ? cell.outerHTML || cell.textContent : String(cell);
  const print = JSON.stringify(rows.map(row => row.map(text)));
  if (target.dataset.print === print) return;
  target.dataset.print = print;
  target.parentElement.classList.toggle("empty", rows.length === 0);
  const head = make("tr", {}, ...columns.map(([title, style]) => make("th", {scope: "col", textContent: title, className: style || ""})));
  const body = rows.map(row => make("tr", {}, ...row.map((cell, i) => {
    const element = make(i === 0 ? "th" : "td", {className: columns[i][1] || ""}, cell);
    if (i === 0) element.scope = "row";
    else element.dataset.label = columns[i][0];
    return element;
  })));
  if (!rows.length) body.push(make("tr", {}, make("td", {colSpan: columns.length, className: "none", textContent: none})));
  target.replaceChildren(make("caption", {textContent: caption, className: "unseen"}), make("thead", {}, head), make("tbody", {}, ...body));
}

function sparkline(values) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 100 28");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const shown = values.slice(-DRAWN), most = Math.max(...shown, 1e-9), line = document.createElementNS(svg.namespaceURI, "polyline");
  line.setAttribute("points", shown.map((value, i) =>
    `${(i + DRAWN - shown.length) / (DRAWN - 1) * 100},${(26.5 - 25 * value / most).toFixed(2)}`).join(" "));
  svg.append(line);
  return svg;
}

const isError = labels => /^5/.test(labels.http_response_status_code || "");

const history = [];  // of Metrics, the oldest first
const lines = {rate: [], errors: [], p99: [], active: []};
const keep = (list, value) => { list.push(value || 0); if (list.length > HISTORY) list.shift(); };

// What happened since the page was opened, at most five minutes; before anything did, all since the start.
function recent(now, wanted) {
  const before = history[0];
  const all = now.buckets("http_server_request_duration_seconds", wanted);
  if (!before) return all;
  const then = new Map(before.buckets("http_server_request_duration_seconds", wanted));
  const since = all.map(([bound, count]) => [bound, count - (then.get(bound) || 0)]);
  return since.length && since[since.length - 1][1] > 0 ? since : all;
}

function showTraffic(now) {
  const last = history[history.length - 1], count = "http_server_request_duration_seconds_count";
  const seconds = last ? (now.time - last.time) / 1000 : 0;
  const rate = wanted => last && seconds > 0 ? Math.max(0, now.sum(count, wanted) - last.sum(count, wanted)) / seconds : 0;
  const total = now.sum(count), failed = now.sum(count, isError), buckets = recent(now);
  keep(lines.rate, rate());
  keep(lines.errors, rate(isError));
  keep(lines.p99, quantile(0.99, buckets));
  keep(lines.active, now.sum("http_server_active_requests"));
  const tiles = [
    ["Requests per second", number(lines.rate.at(-1)), lines.rate, "rate"], ["Server errors per second", number(lines.errors.at(-1)), lines.errors, "error-rate"],
    ["Median", duration(quantile(0.5, buckets)), null, "p50"], ["99th percentile", duration(quantile(0.99, buckets)), lines.p99, "p99"],
    ["In flight", number(lines.active.at(-1)), lines.active, "active"], ["Requests since start", number(total), null, "total"],
    ["Server errors since start", number(failed), null, "failed"],
    ["Added by Gatehouse, median", duration(quantile(0.5, now.buckets("gatehouse_overhead_seconds"))), null, "overhead"],
  ];
  $("traffic").replaceChildren(...tiles.map(([title, value, values, name]) => {
    const tile = make("div", {}, make("dt", {textContent: title}), make("dd", {textContent: value, id: "traffic-" + name}));
    if (values) tile.append(sparkline(values));
    return tile;
  }));
}

function showRoutes(now) {
  const count = "http_server_request_duration_seconds_count";
  const routes = [...new Set(now.all(count).map(sample => sample.labels.http_route || "others, without labels"))];
  const rows = routes.map(route => {
    const here = labels => (labels.http_route || "others, without labels") === route;
    const total = now.sum(count, here), failed = now.sum(count, labels => here(labels) && isError(labels));
    const refused = now.sum(count, labels => here(labels) && /^4/.test(labels.http_response_status_code || ""));
    const buckets = recent(now, here);
    return [total, [route, number(total), number(refused), number(failed), percent(failed / total), ...[0.5, 0.9, 0.99].map(share => duration(quantile(share, buckets)))]];
  }).sort((a, b) => b[0] - a[0]).slice(0, 100).map(([, row]) => row);
  $("routes-note").textContent = "Requests since the start; percentiles of the last five minutes in which this page was open, or since the start where nothing came.";
  table("routes", "Requests by route", [["Route", "code"], ["Requests", "number"], ["4xx", "number"], ["5xx", "number"], ["Error share", "number"],
    ["p50", "number"], ["p90", "number"], ["p99", "number"]], rows, "No request yet.");
}

function showChecks(health) {
  const rows = Object.entries(health.checks || {}).map(([name, [check]]) => [
    name, pill(check.status), check.componentType, check.critical ? "yes" : "no", duration(check.observedValue / 1000),
    make("time", {dateTime: check.since, textContent: ago(check.since)}), check.output || ""]);
  table("checks", "Health checks", [["Name"], ["State"], ["Kind"], ["Critical"], ["Latency", "number"], ["Since"], ["Says", "wide"]], rows, "There are no checks.");
}

function showBlame(now, health) {
  const checks = Object.entries(health.checks || {});
  const worst = list => list.some(([, [check]]) => check.status === "fail") ? "fail" : list.some(([, [check]]) => check.status === "warn") ? "warn" : "pass";
  const says = list => list.filter(([, [check]]) => check.status !== "pass").map(([name, [check]]) => `${name}: ${check.output || check.status}`).join("; ");
  const own = ([name]) => name === "configuration";
  const app = checks.filter(([name]) => name === "upstream"), others = checks.filter(entry => entry[0] !== "upstream" && !own(entry));
  const ownSays = says(checks.filter(own));
  const ratio = (open, limit) => now.sum(limit) > 0 ? now.sum(open) / now.sum(limit) : 0;
  const full = Math.max(ratio("gatehouse_connections_open", "gatehouse_connections_limit"), ratio("process_open_fds", "process_max_fds"),
                        ratio("gatehouse_upstream_connections_open", "gatehouse_upstream_connections_limit"));
  const draining = now.sum("gatehouse_draining") > 0;
  const ownState = draining ? "warn" : full > 0.95 ? "fail" : full > 0.8 || ownSays ? "warn" : "pass";
  const last = lines.errors.at(-1) || 0, share = last / (lines.rate.at(-1) || 1);
  const open = now.sum("gatehouse_upstream_circuit_workers", labels => labels.state === "open");
  const appSays = says(app) || (open > 0 ? "the circuit is open: requests are refused at once" : last > 0 ? `answers, with ${number(last)} server errors per second` : "answers as it should");
  const appState = worst(app) === "pass" && (share > 0.05 || open > 0) ? "warn" : worst(app);
  const cards = [
    ["App", appState, appSays],
    ["Dependencies", worst(others), others.length ? says(others) || `${others.length} of ${others.length} are well` : "none are checked"],
    ["Gatehouse", ownState, draining ? "is stopping: no new traffic" : full > 0.8 ? "is running out of room: see the limits" : ownSays || "serves, and has room"],
  ];
  const print = JSON.stringify(cards);
  if ($("blame").dataset.print !== print) {
    $("blame").dataset.print = print;
    $("blame").replaceChildren(...cards.map(([title, status, text]) =>
      make("li", {}, make("h3", {}, title, pill(status)), make("p", {textContent: text}))));
  }
  const verdict = $("verdict"), overall = draining ? "fail" : health.status;
  verdict.className = "pill " + overall;
  const words = draining ? "✕ stopping" : {pass: "✓ all is well", warn: "! ready, with warnings", fail: "✕ not ready"}[overall];
  if (verdict.textContent !== words) verdict.textContent = words;
}

function showErrors(errors) {
  const rows = errors.map(error => [make("time", {dateTime: error.time, textContent: new Date(error.time).toLocaleTimeString("en-GB")}), String(error.status || "none"),
    (error.method + " " + error.path).trim() || "no head that could be read", error.reason, error.decided_by === "origin" ? "app" : "Gatehouse", duration(error.duration), error.request_id]);
  table("errors", "Last errors", [["Time"], ["Status", "number"], ["Request", "code"], ["Reason", "code"], ["Decided by"], ["Took", "number"], ["Request id", "code"]],
    rows, "None since the start.");
}

function showLimits(now) {
  const meter = (used, most) => {
    const share = most > 0 ? used / most : 0;
    return make("span", {}, make("meter", {min: 0, max: 1, low: 0.8, high: 0.95, optimum: 0, value: share, ariaLabel: percent(share) + " used"}), make("span", {textContent: " " + percent(share)}));
  };
  const rows = [["Client connections", "gatehouse_connections_open", "gatehouse_connections_limit"],
    ["Connections to the app", "gatehouse_upstream_connections_open", "gatehouse_upstream_connections_limit"],
    ["File descriptors", "process_open_fds", "process_max_fds"], ["Metric series", "gatehouse_metrics_series", "gatehouse_metrics_series_limit"]]
    .map(([title, used, most]) => [title, number(now.sum(used)), number(now.sum(most)), meter(now.sum(used), now.sum(most))]);
  table("limits", "Limits of this process", [["Limit"], ["Used", "number"], ["Most", "number"], ["Share", "number wide"]], rows, "");
  const policies = now.all("gatehouse_rate_limited_total").map(({labels, value}) => {
    const of = name => now.sum(name, other => other.policy === labels.policy);
    return [labels.policy, number(value), number(of("gatehouse_rate_limit_keys")), number(of("gatehouse_rate_limit_displaced_total"))];
  });
  table("policies", "Rate limits", [["Rate limit"], ["Refused", "number"], ["Clients remembered", "number"], ["Forgotten too early", "number"]], policies,
    "There are no rate limits.");
}

function showCertificates(now) {
  const rows = now.all("gatehouse_tls_certificate_not_after_timestamp_seconds").map(({labels, value}) => {
    const left = value - Date.now() / 1000, status = left < 3 * 86400 ? "fail" : left < 14 * 86400 ? "warn" : "pass";
    return [labels.names, pill(status), new Date(value * 1000).toISOString().slice(0, 10), left > 0 ? "in " + span(left).split(" ").slice(0, 2).join(" ") : "has expired"];
  });
  table("certificates", "Certificates", [["Names"], ["State"], ["Expires"], ["That is"]], rows, "No listener speaks TLS.");
}

// --- The loop --------------------------------------------------------------------------------------------------------

async function read(path, as) {
  const response = await fetch(path, {cache: "no-store", headers: {accept: as === "json" ? "application/json" : "text/plain"}});
  if (!response.ok && !(response.status === 503 && path.startsWith("/health"))) throw new Error(`${path} answered ${response.status}`);
  return as === "json" ? response.json() : response.text();
}

async function refresh() {
  try {
    const [text, health] = await Promise.all([read("/metrics"), read("/health?show=errors", "json")]);
    const now = new Metrics(text, performance.now());
    $("version").textContent = health.version;
    $("clock").textContent = `up ${span(health.uptime_seconds)}, read at ${new Date().toLocaleTimeString("en-GB")}`;
    showTraffic(now);
    showBlame(now, health);
    showRoutes(now);
    showChecks(health);
    showErrors(health.errors);
    showLimits(now);
    showCertificates(now);
    history.push(now);
    if (history.length > HISTORY) history.shift();
    document.body.dataset.ready = "true";
  } catch (error) {
    $("verdict").className = "pill fail";
    $("verdict").textContent = "✕ no answer";
    $("clock").textContent = String(error.message || error);
  }
}

$("config").addEventListener("toggle", async event => {
  const place = event.target.querySelector("pre");
  if (event.target.open) place.textContent = await read("/health?show=configuration", "json").then(health => health.configuration, error => String(error.message || error));
});

async function run() {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise(resolve => setTimeout(resolve, PERIOD_MS));
  }
}
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
run();
