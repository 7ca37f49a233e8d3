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

void Histogram::observe(std::chrono::nanoseconds duration) noexcept {
  const double seconds = static_cast<double>(duration.count()) * 1e-9;
  std::size_t at = 0;
  while (at < bounds_->size() && seconds > (*bounds_)[at]) ++at;
  buckets_[at].add();
  sum_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)));
}

void ReasonCounters::add(std::string_view reason) noexcept {
  const std::size_t used = used_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < used; ++i)
    if (rows_[i].reason == reason) return rows_[i].count.add();
  if (used == kMost) return rows_[kMost - 1].count.add();
  rows_[used].reason = used == kMost - 1 ? std::string_view("other") : reason;
  rows_[used].count.add();
  used_.store(used + 1, std::memory_order_release);
}

RouteMetrics::~RouteMetrics() {
  for (auto& row : series_)
    for (auto& series : row) delete series.load(std::memory_order_relaxed);
}

void RouteMetrics::count(Method method, int status, std::chrono::nanoseconds duration) noexcept {
  auto& slot = series_[static_cast<std::size_t>(method)][slot_of(status)];
  Histogram* histogram = slot.load(std::memory_order_relaxed);
  if (histogram == nullptr) {
    histogram = new Histogram;
    slot.store(histogram, std::memory_order_release);
  }
  histogram->observe(duration);
}

std::size_t RouteMetrics::slot_of(int status) noexcept {
  return kSlotOfStatus[static_cast<std::size_t>(std::clamp(status, 0, 599))];
}

int RouteMetrics::status_of(std::size_t slot) noexcept { return kKnownStatuses[slot]; }

}  // namespace gatehouse::observe
