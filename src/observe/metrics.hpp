// What one worker counts. Only its own thread writes, so a count is a load and a store; the scrape reads from another
// thread at any time (relaxed atomics: each number is right, numbers may be a moment apart). Series exist once they are
// used; methods, statuses and routes are bounded sets, so the number of series is.
#pragma once

#include <gatehouse/message.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::observe {

class Counter {
 public:
  void add(std::uint64_t by = 1) noexcept { value_.store(get() + by, std::memory_order_relaxed); }
  void subtract(std::uint64_t by = 1) noexcept { value_.store(get() - by, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// OpenTelemetry's buckets for HTTP durations, in seconds, and finer ones for what Gatehouse adds itself.
class Histogram {
 public:
  static constexpr std::array<double, 14> kBounds{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                                  0.5,   0.75, 1,     2.5,  5,     7.5, 10};
  static constexpr std::array<double, 14> kFineBounds{0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005,
                                                      0.001,    0.0025,  0.005,    0.01,    0.025,  0.05,    0.1};
  explicit Histogram(const std::array<double, 14>& bounds = kBounds) noexcept : bounds_(&bounds) {}
  void observe(std::chrono::nanoseconds duration) noexcept;

  const std::array<double, 14>& bounds() const noexcept { return *bounds_; }
  std::uint64_t bucket(std::size_t index) const noexcept { return buckets_[index].get(); }  // not cumulative; 14 = +Inf
  double sum_seconds() const noexcept { return static_cast<double>(sum_.get()) * 1e-9; }

 private:
  const std::array<double, 14>* bounds_;
  std::array<Counter, 15> buckets_;
  Counter sum_;  // nanoseconds
};

// Counters by a literal, e.g. a reason. At most kMost different ones; what comes later is counted as "other".
class ReasonCounters {
 public:
  static constexpr std::size_t kMost = 96;
  // `reason` must be a literal (or live as long as the process).
  void add(std::string_view reason) noexcept;
  template <class Visit>
  void for_each(Visit visit) const {
    const std::size_t used = used_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < used; ++i) visit(rows_[i].reason, rows_[i].count.get());
  }

 private:
  struct Row {
    std::string_view reason;
    Counter count;
  };
  std::array<Row, kMost> rows_;
  std::atomic<std::size_t> used_{0};
};

// The requests of one route.
class RouteMetrics {
 public:
  explicit RouteMetrics(std::string route) : route_(std::move(route)) {}
  ~RouteMetrics();
  RouteMetrics(const RouteMetrics&) = delete;
  RouteMetrics& operator=(const RouteMetrics&) = delete;

  void count(Method method, int status, std::chrono::nanoseconds duration) noexcept;
  const std::string& route() const noexcept { return route_; }
  // Visits (method, status, histogram) of every combination seen.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t m = 0; m < kMethods; ++m)
      for (std::size_t s = 0; s < kStatuses; ++s)
        if (const Histogram* histogram = series_[m][s].load(std::memory_order_acquire))
          visit(static_cast<Method>(m), status_of(s), *histogram);
  }

  Histogram upstream;
  Histogram overhead{Histogram::kFineBounds};
  Counter request_bytes;
  Counter response_bytes;

 private:
  static constexpr std::size_t kMethods = 10;
  static constexpr std::size_t kStatuses = 64;
  static std::size_t slot_of(int status) noexcept;
  static int status_of(std::size_t slot) noexcept;

  std::string route_;
  std::array<std::array<std::atomic<Histogram*>, kStatuses>, kMethods> series_{};
};

struct WorkerMetrics {
  Counter connections_accepted;
  Counter connections_open;
  Counter connections_over_limit;
  Counter accept_failures;
  Counter tls_handshakes;
  Counter tls_handshake_failures;
  Counter requests_active;
  Counter requests_abandoned;  // by the client, before the answer was complete
  Counter tunnels_open;
  Counter upstream_connections_opened;
  Counter upstream_connections_open;
  Counter upstream_connections_idle;
  Counter upstream_connect_failures;
  Counter upstream_requests;
  Counter upstream_reuse_failures;  // a pooled connection was found dead
  Counter upstream_replays;
  Counter upstream_waits;                             // requests that waited for the app to come back
  Counter dropped_field_names;                        // names with "_" or "." taken out of requests
  ReasonCounters upstream_failures;                   // by reason
  ReasonCounters rejected;                            // refused by Gatehouse, by reason
  std::vector<std::unique_ptr<RouteMetrics>> routes;  // fixed once the worker runs
};

}  // namespace gatehouse::observe
