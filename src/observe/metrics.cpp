#include "observe/metrics.hpp"

#include <algorithm>

namespace gatehouse::observe {
namespace {

// Statuses that get series of their own; any other is counted as the x00 of its class.
constexpr std::array<int, 64> kKnownStatuses{
    100, 101, 103, 200, 201, 202, 203, 204, 205, 206, 207, 226, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402,
    403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425, 426,
    428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 507, 508, 510, 511, 520, 521, 522, 530, 599};

constexpr auto kSlotOfStatus = [] {
  std::array<std::uint8_t, 600> slots{};
  for (int status = 0; status < 600; ++status) {
    const int fallback = status < 200 ? 100 : status / 100 * 100;
    for (std::size_t i = 0; i < kKnownStatuses.size(); ++i)
      if (kKnownStatuses[i] == fallback) slots[static_cast<std::size_t>(status)] = static_cast<std::uint8_t>(i);
    for (std::size_t i = 0; i < kKnownStatuses.size(); ++i)
      if (kKnownStatuses[i] == status) slots[static_cast<std::size_t>(status)] = static_cast<std::uint8_t>(i);
  }
  return slots;
}();

}  // namespace

void ReasonCounters::add(std::string_view reason) noexcept {
  const std::size_t used = used_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < used; ++i)
    if (rows_[i].reason == reason) return rows_[i].count.add();
  if (used == kMost) return rows_[kMost - 1].count.add();
  rows_[used].reason = used == kMost - 1 ? std::string_view("other") : reason;
  rows_[used].count.add();
  used_.store(used + 1, std::memory_order_release);
}

void SeriesBudget::set_limit(std::size_t most) {
  const std::lock_guard lock(mutex_);
  most_ = most;
}

bool SeriesBudget::admit(std::string_view route, std::size_t method, std::size_t status) {
  std::string key(route);
  key += '\n';
  key += static_cast<char>('0' + method);
  key += std::to_string(status);
  const std::lock_guard lock(mutex_);
  if (admitted_.contains(key)) return true;
  if (admitted_.size() >= most_) return false;
  admitted_.insert(std::move(key));
  return true;
}

std::size_t SeriesBudget::used() const {
  const std::lock_guard lock(mutex_);
  return admitted_.size();
}

std::size_t SeriesBudget::limit() const {
  const std::lock_guard lock(mutex_);
  return most_;
}

RouteMetrics::~RouteMetrics() {
  for (auto& row : series_)
    for (auto& slot : row)
      if (RequestSeries* series = slot.load(std::memory_order_relaxed); series != &overflow_) delete series;
}

RequestSeries& RouteMetrics::series(Method method, int status) {
  const std::size_t slot = slot_of(status);
  auto& place = series_[static_cast<std::size_t>(method)][slot];
  RequestSeries* series = place.load(std::memory_order_relaxed);
  if (series == nullptr) {
    series = budget_.admit(route_, static_cast<std::size_t>(method), slot) ? new RequestSeries : &overflow_;
    place.store(series, std::memory_order_release);
  }
  return *series;
}

WorkerMetrics::~WorkerMetrics() {
  for (RouteMetrics* route = routes_.load(std::memory_order_relaxed); route != nullptr;) {
    RouteMetrics* const next = route->next_;
    delete route;
    route = next;
  }
  for (PoolStats* pool = pools_.load(std::memory_order_relaxed); pool != nullptr;) {
    PoolStats* const next = pool->next_;
    delete pool;
    pool = next;
  }
}

PoolStats& WorkerMetrics::pool(std::string_view name) {
  const std::lock_guard lock(adding_);
  PoolStats* const first = pools_.load(std::memory_order_relaxed);
  for (PoolStats* pool = first; pool != nullptr; pool = pool->next_)
    if (pool->pool() == name) return *pool;
  auto* const made = new PoolStats(std::string(name));
  made->next_ = first;
  pools_.store(made, std::memory_order_release);
  return *made;
}

RouteMetrics& WorkerMetrics::route(std::string_view name) {
  // A reload asks from the main thread, the app's OpenAPI document from the worker's.
  const std::lock_guard lock(adding_);
  RouteMetrics* const first = routes_.load(std::memory_order_relaxed);
  // The last place is for all that find no other.
  const std::string_view wanted = route_count_ + 1 < kMostRoutes ? name : "other";
  for (RouteMetrics* route = first; route != nullptr; route = route->next_)
    if (route->route() == name) return *route;
  for (RouteMetrics* route = first; route != nullptr && wanted != name; route = route->next_)
    if (route->route() == wanted) return *route;
  auto* const made = new RouteMetrics(std::string(wanted), budget, overflow);
  made->next_ = first;
  ++route_count_;
  routes_.store(made, std::memory_order_release);
  return *made;
}

std::size_t RouteMetrics::slot_of(int status) noexcept {
  return kSlotOfStatus[static_cast<std::size_t>(std::clamp(status, 0, 599))];
}

int RouteMetrics::status_of(std::size_t slot) noexcept { return kKnownStatuses[slot]; }

}  // namespace gatehouse::observe
