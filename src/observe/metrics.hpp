// What one worker counts. Only its own thread writes; the scrape reads from another thread at any time (relaxed atomics:
// each number is right, numbers may be a moment apart). Series exist once they are used; methods and statuses are bounded
// sets, and a budget that all workers share bounds the whole.
#pragma once

#include "observe/counter.hpp"
#include "observe/histogram.hpp"
#include "observe/pool_stats.hpp"
#include "observe/recent_errors.hpp"

#include <gatehouse/message.hpp>

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace gatehouse::observe {

// How many combinations of route, method and status may have series of their own, in the whole process. Any thread; a worker
// asks once for each combination, so the lock is not on a request's way.
class SeriesBudget {
 public:
  explicit SeriesBudget(std::size_t most = 500) noexcept : most_(most) {}
  void set_limit(std::size_t most);
  // Whether that combination may have series; the answer never changes from yes to no.
  bool admit(std::string_view route, std::size_t method, std::size_t status);
  std::size_t used() const;
  std::size_t limit() const;

 private:
  mutable std::mutex mutex_;
  std::size_t most_;
  std::unordered_set<std::string> admitted_;
};

// Requests of one route, method and status.
struct RequestSeries {
  Histogram duration;
  Histogram upstream;
  Histogram overhead{kFineDurations};
  Exemplars exemplars;  // of `duration`
};

// The requests of one route.
class RouteMetrics {
 public:
  // Requests for which the budget has no room are counted in `overflow`. Both must outlive it.
  RouteMetrics(std::string route, SeriesBudget& budget, RequestSeries& overflow)
      : route_(std::move(route)), budget_(budget), overflow_(overflow) {}
  ~RouteMetrics();
  RouteMetrics(const RouteMetrics&) = delete;
  RouteMetrics& operator=(const RouteMetrics&) = delete;

  const std::string& route() const noexcept { return route_; }
  // Where a request is counted.
  RequestSeries& series(Method method, int status);
  // Visits (method, status, series) of every combination seen.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t m = 0; m < kMethods; ++m)
      for (std::size_t s = 0; s < kStatuses; ++s) {
        const RequestSeries* series = series_[m][s].load(std::memory_order_acquire);
        if (series != nullptr && series != &overflow_) visit(static_cast<Method>(m), status_of(s), *series);
      }
  }

  Histogram request_bytes{kSizes};
  Histogram response_bytes{kSizes};

 private:
  friend struct WorkerMetrics;
  static constexpr std::size_t kMethods = 10;
  static constexpr std::size_t kStatuses = 64;
  static std::size_t slot_of(int status) noexcept;
  static int status_of(std::size_t slot) noexcept;

  std::string route_;
  SeriesBudget& budget_;
  RequestSeries& overflow_;
  RouteMetrics* next_ = nullptr;
  std::array<std::array<std::atomic<RequestSeries*>, kStatuses>, kMethods> series_{};
};

struct WorkerMetrics {
  // The budget must outlive it.
  explicit WorkerMetrics(SeriesBudget& series_budget) : budget(series_budget) {}
  ~WorkerMetrics();
  WorkerMetrics(const WorkerMetrics&) = delete;
  WorkerMetrics& operator=(const WorkerMetrics&) = delete;

  // The metrics of that route, which are made where there are none yet; they stay as long as the worker. Beyond kMostRoutes
  // there is one for all others. Any thread; not on the request path.
  RouteMetrics& route(std::string_view name);
  static constexpr std::size_t kMostRoutes = 4096;
  template <class Visit>
  void for_each_route(Visit visit) const {
    for (const RouteMetrics* route = routes_.load(std::memory_order_acquire); route != nullptr; route = route->next_) visit(*route);
  }

  // The same for a pool of the app; the caller bounds how many names there are.
  PoolStats& pool(std::string_view name);
  template <class Visit>
  void for_each_pool(Visit visit) const {
    for (const PoolStats* pool = pools_.load(std::memory_order_acquire); pool != nullptr; pool = pool->next_) visit(*pool);
  }

  SeriesBudget& budget;
  Counter connections_accepted;
  Counter connections_open;
  Counter connections_handshaking;
  Counter connections_idle;  // waiting for a request, the first or the next
  ReasonCounters connections_closed;
  Counter connections_over_limit;
  Counter accept_failures;
  ReasonCounters tls_handshakes;          // by version
  ReasonCounters tls_handshake_failures;  // by reason
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
  Counter upstream_retries;          // asked again at another address
  Counter upstream_retries_refused;  // that would have been, but for the budget
  Counter upstream_waits;            // requests that waited for the app to come back
  Counter dropped_field_names;       // names with "_" or "." taken out of requests
  ReasonCounters upstream_failures;  // by reason
  Counter circuits_closed;           // workers whose circuit is in that state: for each one 0 or 1
  Counter circuits_open;
  Counter circuits_half_open;
  ReasonCounters circuit_changes;    // by the state it went to
  ReasonCounters rejected;           // refused by Gatehouse, by reason
  // Requests without series of their own, because the budget is used up.
  RequestSeries overflow;
  RecentErrors recent_errors;

 private:
  std::mutex adding_;
  std::atomic<RouteMetrics*> routes_{nullptr};
  std::atomic<PoolStats*> pools_{nullptr};
  std::size_t route_count_ = 0;
};

}  // namespace gatehouse::observe
