#include "admin/metrics_page.hpp"

#include "admin/process_metrics.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

namespace gatehouse::admin {
namespace {

using Metrics = observe::WorkerMetrics;

void add(Exposition& page, const Family& family) {
  page.family(family.name, family.help, family.counter ? MetricType::kCounter : MetricType::kGauge);
  for (const Sample& sample : family.samples) page.sample({sample.labels.begin(), sample.labels.end()}, sample.value);
}

void add(Exposition& page, std::string_view name, std::string_view help, double value) {
  page.family(name, help, MetricType::kGauge);
  page.sample({}, value);
}

struct RequestSums {
  HistogramSum duration;
  HistogramSum upstream;
  HistogramSum overhead;

  void add(const observe::RequestSeries& series) {
    duration.add(series.duration);
    duration.add(series.exemplars);
    upstream.add(series.upstream);
    overhead.add(series.overhead);
  }
};

struct RouteSums {
  HistogramSum received;
  HistogramSum sent;
};

void add_requests(Exposition& page, const MetricsSources& sources) {
  // Route and method are views of what the workers keep for as long as they live.
  std::map<std::tuple<std::string_view, std::string_view, int>, RequestSums> requests;
  std::map<std::string_view, RouteSums> routes;
  RequestSums overflow;
  for (const Metrics* worker : sources.workers) {
    worker->for_each_route([&](const observe::RouteMetrics& route) {
      route.for_each([&](Method method, int status, const observe::RequestSeries& series) {
        requests[{route.route(), method_label(method), status}].add(series);
      });
      RouteSums& sums = routes[route.route()];
      sums.received.add(route.request_bytes);
      sums.sent.add(route.response_bytes);
    });
    overflow.add(worker->overflow);
  }
  const auto by_request = [&](std::string_view name, std::string_view help, HistogramSum RequestSums::* part) {
    page.family(name, help, MetricType::kHistogram);
    for (const auto& [key, sums] : requests) {
      const auto& [route, method, status] = key;
      if ((sums.*part).count() != 0)
        page.histogram({{"http_request_method", method}, {"http_response_status_code", std::to_string(status)}, {"http_route", route}}, sums.*part);
    }
    // As OpenTelemetry marks it.
    if ((overflow.*part).count() != 0) page.histogram({{"otel_metric_overflow", "true"}}, overflow.*part);
  };
  by_request("http_server_request_duration_seconds", "From the first byte of a request to the last of its response.", &RequestSums::duration);
  by_request("gatehouse_upstream_duration_seconds", "From asking for a connection to the app to the end of its response.", &RequestSums::upstream);
  by_request("gatehouse_overhead_seconds", "What Gatehouse added to a request: its duration without the app and without waiting for its head.",
             &RequestSums::overhead);
  const auto by_route = [&](std::string_view name, std::string_view help, HistogramSum RouteSums::* part) {
    page.family(name, help, MetricType::kHistogram);
    for (const auto& [route, sums] : routes)
      if ((sums.*part).count() != 0) page.histogram({{"http_route", route}}, sums.*part);
  };
  by_route("http_server_request_body_size_bytes", "Bodies of requests, as received.", &RouteSums::received);
  by_route("http_server_response_body_size_bytes", "Bodies of responses, as sent.", &RouteSums::sent);
  page.family("gatehouse_metrics_overflow_total", "Requests counted without labels: metrics.max_series was reached.", MetricType::kCounter);
  page.sample({}, static_cast<double>(overflow.duration.count()));
}

void add_counters(Exposition& page, const MetricsSources& sources) {
  struct Row {
    observe::Counter Metrics::* counter;
    const char* name;
    const char* help;
    bool is_counter;
  };
  static constexpr Row kRows[] = {
      {&Metrics::connections_accepted, "gatehouse_connections_accepted_total", "Client connections accepted.", true},
      {&Metrics::connections_over_limit, "gatehouse_connections_over_limit_total", "Client connections refused by limits.connections.", true},
      {&Metrics::accept_failures, "gatehouse_accept_failures_total", "Times accepting failed for want of descriptors or memory.", true},
      {&Metrics::requests_active, "http_server_active_requests", "Requests being served now.", false},
      {&Metrics::requests_abandoned, "gatehouse_requests_abandoned_total", "Requests whose client left before the answer was complete.", true},
      {&Metrics::tunnels_open, "gatehouse_tunnels_open", "Upgraded connections (WebSocket) open now.", false},
      {&Metrics::upstream_connections_opened, "gatehouse_upstream_connections_opened_total", "Connections to the app opened.", true},
      {&Metrics::upstream_connections_open, "gatehouse_upstream_connections_open", "Connections to the app open now.", false},
      {&Metrics::upstream_connections_idle, "gatehouse_upstream_connections_idle", "Connections to the app that wait for a request.", false},
      {&Metrics::upstream_connect_failures, "gatehouse_upstream_connect_failures_total", "Attempts to connect to the app that failed.", true},
      {&Metrics::upstream_requests, "gatehouse_upstream_requests_total", "Requests forwarded to the app.", true},
      {&Metrics::upstream_reuse_failures, "gatehouse_upstream_stale_connections_total", "Idle connections found dead when they were to be used.", true},
      {&Metrics::upstream_replays, "gatehouse_upstream_replays_total", "Requests sent once more because a reused connection died.", true},
      {&Metrics::upstream_retries, "gatehouse_upstream_retries_total", "Requests asked again because an address failed before any answer.", true},
      {&Metrics::upstream_retries_refused, "gatehouse_upstream_retries_refused_total", "Requests not asked again because the budget was used up.", true},
      {&Metrics::upstream_waits, "gatehouse_upstream_waits_total", "Requests that waited for the app to accept connections.", true},
      {&Metrics::dropped_field_names, "gatehouse_dropped_field_names_total", "Request fields dropped for a `_` or `.` in their name.", true},
  };
  for (const Row& row : kRows) {
    std::uint64_t total = 0;
    for (const Metrics* worker : sources.workers) total += (worker->*row.counter).get();
    page.family(row.name, row.help, row.is_counter ? MetricType::kCounter : MetricType::kGauge);
    page.sample({}, static_cast<double>(total));
  }
  const auto by = [&](std::string_view label, observe::ReasonCounters Metrics::* counters, std::string_view name, std::string_view help) {
    std::map<std::string_view, std::uint64_t> totals;
    for (const Metrics* worker : sources.workers)
      (worker->*counters).for_each([&](std::string_view reason, std::uint64_t count) { totals[reason] += count; });
    page.family(name, help, MetricType::kCounter);
    for (const auto& [reason, count] : totals) page.sample({{label, reason}}, static_cast<double>(count));
  };
  by("reason", &Metrics::rejected, "gatehouse_requests_rejected_total", "Requests that Gatehouse itself answered with an error, by reason.");
  by("reason", &Metrics::upstream_failures, "gatehouse_upstream_failures_total", "Requests that the app did not answer, by reason.");
  by("reason", &Metrics::connections_closed, "gatehouse_connections_closed_total", "Client connections that ended, by reason.");
  by("to", &Metrics::circuit_changes, "gatehouse_upstream_circuit_changes_total", "How often a worker's circuit went to a state.");
  by("version", &Metrics::tls_handshakes, "gatehouse_tls_handshakes_total", "TLS handshakes completed, by protocol version.");
  by("reason", &Metrics::tls_handshake_failures, "gatehouse_tls_handshake_failures_total", "TLS handshakes that failed, by reason.");
}

void add_connections(Exposition& page, const MetricsSources& sources) {
  std::int64_t open = 0;
  std::int64_t handshaking = 0;
  std::int64_t idle = 0;
  std::int64_t tunnels = 0;
  for (const Metrics* worker : sources.workers) {
    open += static_cast<std::int64_t>(worker->connections_open.get());
    handshaking += static_cast<std::int64_t>(worker->connections_handshaking.get());
    idle += static_cast<std::int64_t>(worker->connections_idle.get());
    tunnels += static_cast<std::int64_t>(worker->tunnels_open.get());
  }
  page.family("gatehouse_connections_open", "Client connections open now, by state.", MetricType::kGauge);
  // The numbers may be a moment apart, so that the difference could be negative.
  page.sample({{"state", "active"}}, static_cast<double>(std::max<std::int64_t>(open - handshaking - idle - tunnels, 0)));
  page.sample({{"state", "handshake"}}, static_cast<double>(handshaking));
  page.sample({{"state", "idle"}}, static_cast<double>(idle));
  page.sample({{"state", "tunnel"}}, static_cast<double>(tunnels));
}

void add_pools(Exposition& page, const MetricsSources& sources) {
  struct Sums {
    std::uint64_t requests = 0;
    std::uint64_t failures = 0;
    std::uint64_t active = 0;
    HistogramSum duration;
  };
  std::map<std::string_view, Sums> pools;
  for (const Metrics* worker : sources.workers)
    worker->for_each_pool([&](const observe::PoolStats& stats) {
      Sums& sums = pools[stats.pool()];
      sums.requests += stats.requests.get();
      sums.failures += stats.failures.get();
      sums.active += stats.active.get();
      sums.duration.add(stats.duration);
    });
  if (pools.empty()) return;
  page.family("gatehouse_upstream_pool_requests_total", "Requests that a pool of the app got.", MetricType::kCounter);
  for (const auto& [name, sums] : pools) page.sample({{"pool", name}}, static_cast<double>(sums.requests));
  page.family("gatehouse_upstream_pool_failures_total", "Those of them that it did not answer, or with a status of 500 and above.", MetricType::kCounter);
  for (const auto& [name, sums] : pools) page.sample({{"pool", name}}, static_cast<double>(sums.failures));
  page.family("gatehouse_upstream_pool_requests_active", "Requests that a pool of the app is answering, streams and WebSockets too.", MetricType::kGauge);
  for (const auto& [name, sums] : pools) page.sample({{"pool", name}}, static_cast<double>(sums.active));
  page.family("gatehouse_upstream_pool_duration_seconds", "From the choice of an address to the head of its answer.", MetricType::kHistogram);
  for (const auto& [name, sums] : pools) page.histogram({{"pool", name}}, sums.duration);
}

void add_circuits(Exposition& page, const MetricsSources& sources) {
  constexpr std::pair<const char*, observe::Counter Metrics::*> kStates[] = {
      {"closed", &Metrics::circuits_closed}, {"half_open", &Metrics::circuits_half_open}, {"open", &Metrics::circuits_open}};
  std::uint64_t totals[std::size(kStates)]{};
  for (const Metrics* worker : sources.workers)
    for (std::size_t i = 0; i < std::size(kStates); ++i) totals[i] += (worker->*kStates[i].second).get();
  if (totals[0] + totals[1] + totals[2] == 0) return;  // not asked for
  page.family("gatehouse_upstream_circuit_workers", "Circuits by state: each worker has one for each address of the app.", MetricType::kGauge);
  for (std::size_t i = 0; i < std::size(kStates); ++i) page.sample({{"state", kStates[i].first}}, static_cast<double>(totals[i]));
}

void add_health(Exposition& page, const MetricsSources& sources) {
  const auto checks = sources.health->results();
  const auto each = [&](std::string_view name, std::string_view help, MetricType type, auto value) {
    page.family(name, help, type);
    for (const observe::CheckResult& check : checks)
      page.sample({{"name", check.name}, {"kind", check.kind}, {"critical", check.critical ? "true" : "false"}}, value(check));
  };
  using Check = observe::CheckResult;
  each("gatehouse_health_check_up", "1 when the check's last verdict was good.", MetricType::kGauge,
       [](const Check& check) { return check.health == observe::Health::kPass ? 1.0 : 0.0; });
  each("gatehouse_health_check_latency_seconds", "Duration of the check's last answer.", MetricType::kGauge,
       [](const Check& check) { return std::chrono::duration<double>(check.latency).count(); });
  each("gatehouse_health_check_changes_total", "How often the check's verdict changed.", MetricType::kCounter,
       [](const Check& check) { return static_cast<double>(check.changes); });
  const bool draining = sources.draining != nullptr && sources.draining->load(std::memory_order_relaxed);
  add(page, "gatehouse_ready", "1 while /readyz answers 200.", !draining && sources.health->overall() != observe::Health::kFail ? 1 : 0);
  add(page, "gatehouse_draining", "1 from SIGTERM on.", draining ? 1 : 0);
}

}  // namespace

std::string metrics_page(const MetricsSources& sources, MetricsFormat format) {
  Exposition page(format);
  add_requests(page, sources);
  add_counters(page, sources);
  add_connections(page, sources);
  add_circuits(page, sources);
  add_pools(page, sources);
  if (sources.health != nullptr) add_health(page, sources);
  for (const auto& other : sources.others)
    for (const Family& family : other()) add(page, family);
  for (const Family& family : process_families()) add(page, family);
  page.family("gatehouse_build_info", "The version that runs.", MetricType::kInfo);
  page.sample({{"version", sources.version}}, 1);
  return page.finish();
}

}  // namespace gatehouse::admin
