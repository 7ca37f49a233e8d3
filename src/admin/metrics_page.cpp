#include "admin/metrics_page.hpp"

#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sstream>
#include <sys/resource.h>
#include <tuple>
#include <unistd.h>

namespace gatehouse::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;

ClientMetric metric(const std::vector<std::pair<std::string, std::string>>& labels) {
  ClientMetric made;
  for (const auto& [name, value] : labels) made.label.push_back({name, value});
  return made;
}

void add(Families& families, const Family& family) {
  MetricFamily made;
  made.name = family.name;
  made.help = family.help;
  made.type = family.counter ? MetricType::Counter : MetricType::Gauge;
  for (const Sample& sample : family.samples) {
    ClientMetric line = metric(sample.labels);
    (family.counter ? line.counter.value : line.gauge.value) = sample.value;
    made.metric.push_back(std::move(line));
  }
  families.push_back(std::move(made));
}

// Several workers' histograms of one series, added up.
struct Summed {
  std::array<std::uint64_t, 15> buckets{};
  double sum = 0;
  const std::array<double, 14>* bounds = &observe::Histogram::kBounds;

  void add(const observe::Histogram& histogram) {
    bounds = &histogram.bounds();
    for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += histogram.bucket(i);
    sum += histogram.sum_seconds();
  }
  ClientMetric::Histogram cumulative() const {
    ClientMetric::Histogram made;
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < bounds->size(); ++i) {
      count += buckets[i];
      made.bucket.push_back({count, (*bounds)[i]});
    }
    made.sample_count = count + buckets.back();
    made.sample_sum = sum;
    return made;
  }
};

void add_durations(Families& families, const MetricsSources& sources) {
  std::map<std::tuple<std::string, std::string, std::string>, Summed> requests;
  std::map<std::string, std::tuple<Summed, Summed, std::uint64_t, std::uint64_t>> routes;
  for (const observe::WorkerMetrics* worker : sources.workers)
    for (const auto& route : worker->routes) {
      route->for_each([&](Method method, int status, const observe::Histogram& histogram) {
        requests[{route->route(), std::string(method_label(method)), std::to_string(status)}].add(histogram);
      });
      auto& [upstream, overhead, in, out] = routes[route->route()];
      upstream.add(route->upstream);
      overhead.add(route->overhead);
      in += route->request_bytes.get();
      out += route->response_bytes.get();
    }
  MetricFamily durations{"http_server_request_duration_seconds", "From the first byte of a request to the last of its response.", MetricType::Histogram, {}};
  for (const auto& [key, summed] : requests) {
    const auto& [route, method, status] = key;
    ClientMetric line = metric({{"http_request_method", method}, {"http_response_status_code", status}, {"http_route", route}});
    line.histogram = summed.cumulative();
    durations.metric.push_back(std::move(line));
  }
  families.push_back(std::move(durations));
  MetricFamily upstream{"gatehouse_upstream_duration_seconds", "From asking for a connection to the app to the end of its response.", MetricType::Histogram, {}};
  MetricFamily overhead{"gatehouse_overhead_seconds", "What Gatehouse added to a request: its duration less the app's.", MetricType::Histogram, {}};
  Family in{"gatehouse_request_body_bytes_total", "Bytes of request bodies received.", true, {}};
  Family out{"gatehouse_response_body_bytes_total", "Bytes of response bodies sent.", true, {}};
  for (const auto& [route, values] : routes) {
    const auto& [upstream_sum, overhead_sum, received, sent] = values;
    ClientMetric line = metric({{"http_route", route}});
    line.histogram = upstream_sum.cumulative();
    upstream.metric.push_back(line);
    line.histogram = overhead_sum.cumulative();
    overhead.metric.push_back(std::move(line));
    in.samples.push_back({{{"http_route", route}}, static_cast<double>(received)});
    out.samples.push_back({{{"http_route", route}}, static_cast<double>(sent)});
  }
  families.push_back(std::move(upstream));
  families.push_back(std::move(overhead));
  add(families, in);
  add(families, out);
}

void add_counters(Families& families, const MetricsSources& sources) {
  using Metrics = observe::WorkerMetrics;
  struct Row {
    observe::Counter Metrics::* counter;
    const char* name;
    const char* help;
    bool is_counter;
  };
  static constexpr Row kRows[] = {
      {&Metrics::connections_accepted, "gatehouse_connections_accepted_total", "Client connections accepted.", true},
      {&Metrics::connections_open, "gatehouse_connections_open", "Client connections open now.", false},
      {&Metrics::connections_over_limit, "gatehouse_connections_over_limit_total", "Client connections refused by limits.connections.", true},
      {&Metrics::accept_failures, "gatehouse_accept_failures_total", "Times accepting failed for want of descriptors or memory.", true},
      {&Metrics::tls_handshakes, "gatehouse_tls_handshakes_total", "TLS handshakes completed.", true},
      {&Metrics::tls_handshake_failures, "gatehouse_tls_handshake_failures_total", "TLS handshakes that failed.", true},
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
      {&Metrics::upstream_waits, "gatehouse_upstream_waits_total", "Requests that waited for the app to accept connections.", true},
      {&Metrics::dropped_field_names, "gatehouse_dropped_field_names_total", "Request fields dropped for a `_` or `.` in their name.", true},
  };
  for (const Row& row : kRows) {
    std::uint64_t total = 0;
    for (const Metrics* worker : sources.workers) total += (worker->*row.counter).get();
    add(families, {row.name, row.help, row.is_counter, {{{}, static_cast<double>(total)}}});
  }
  const auto by_reason = [&](observe::ReasonCounters Metrics::* counters, const char* name, const char* help) {
    std::map<std::string, std::uint64_t> totals;
    for (const Metrics* worker : sources.workers)
      (worker->*counters).for_each([&](std::string_view reason, std::uint64_t count) { totals[std::string(reason)] += count; });
    Family family{name, help, true, {}};
    for (const auto& [reason, count] : totals) family.samples.push_back({{{"reason", reason}}, static_cast<double>(count)});
    add(families, family);
  };
  by_reason(&Metrics::rejected, "gatehouse_requests_rejected_total", "Requests answered by Gatehouse itself, by reason.");
  by_reason(&Metrics::upstream_failures, "gatehouse_upstream_failures_total", "Requests that the app did not answer, by reason.");
}

void add_health(Families& families, const observe::HealthBoard& board) {
  Family up{"gatehouse_health_check_up", "1 when the check's last answer was good.", false, {}};
  Family latency{"gatehouse_health_check_latency_seconds", "Duration of the check's last answer.", false, {}};
  for (const observe::CheckResult& check : board.results()) {
    const std::vector<std::pair<std::string, std::string>> labels{{"name", check.name}, {"kind", check.kind}};
    up.samples.push_back({labels, check.health == observe::Health::kPass ? 1.0 : 0.0});
    latency.samples.push_back({labels, std::chrono::duration<double>(check.latency).count()});
  }
  add(families, up);
  add(families, latency);
}

// The names every Prometheus client library uses.
void add_process(Families& families) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; };
  add(families, {"process_cpu_seconds_total", "CPU time of this process.", true, {{{}, seconds(usage.ru_utime) + seconds(usage.ru_stime)}}});
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  double resident = 0;
  statm >> pages >> resident;
  add(families, {"process_resident_memory_bytes", "Resident memory of this process.", false, {{{}, resident * static_cast<double>(sysconf(_SC_PAGESIZE))}}});
  std::ifstream stat("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(stat)), std::istreambuf_iterator<char>());
  std::istringstream fields(text.substr(std::min(text.rfind(')') + 2, text.size())));
  std::string skipped;
  for (int i = 0; i < 19; ++i) fields >> skipped;
  double started = 0;  // clock ticks after boot
  fields >> started;
  timespec boot{};
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &boot);
  clock_gettime(CLOCK_REALTIME, &now);
  const double booted = static_cast<double>(now.tv_sec) - static_cast<double>(boot.tv_sec);
  add(families, {"process_start_time_seconds", "When this process started, seconds since the epoch.", false,
                 {{{}, booted + started / static_cast<double>(sysconf(_SC_CLK_TCK))}}});
}

}  // namespace

std::string metrics_page(const MetricsSources& sources) {
  Families families;
  add_durations(families, sources);
  add_counters(families, sources);
  if (sources.health != nullptr) add_health(families, *sources.health);
  for (const auto& other : sources.others)
    for (const Family& family : other()) add(families, family);
  add_process(families);
  add(families, {"gatehouse_build_info", "The version that runs.", false, {{{{"version", sources.version}}, 1}}});
  std::erase_if(families, [](const MetricFamily& family) { return family.metric.empty(); });
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace gatehouse::admin
