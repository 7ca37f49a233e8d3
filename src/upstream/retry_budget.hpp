// How many requests may be asked again: a part of those of the last ten seconds, or a few where there are hardly any. It keeps retries
// from becoming the load that an app in trouble breaks under. A value without a clock; one per worker and pool.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace gatehouse::upstream {

class RetryBudget {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::int64_t kSeconds = 10;

  // `part` of the requests, at least `minimum` a second.
  RetryBudget(double part, double minimum) noexcept : part_(part), minimum_(minimum) {}

  // A request has come in.
  void count(Clock::time_point now) noexcept { ++slot(now).requests; }
  // Whether one may be asked again; then that is counted.
  bool take(Clock::time_point now) noexcept;

  // The same bounds.
  bool is_like(const RetryBudget& other) const noexcept { return part_ == other.part_ && minimum_ == other.minimum_; }

 private:
  struct Slot {
    std::int64_t second = -kSeconds;
    std::uint32_t requests = 0;
    std::uint32_t retries = 0;
  };
  Slot& slot(Clock::time_point now) noexcept;

  double part_;
  double minimum_;
  std::array<Slot, kSeconds> slots_;
};

}  // namespace gatehouse::upstream
