// Whether the pool that gets new traffic does worse than it may. Pure values: counts in, a verdict out; no clock, no sockets.
#pragma once

#include "observe/histogram.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace gatehouse {

// How the requests of one pool went, as all workers counted them together.
struct PoolCounts {
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;  // without an answer, or with a status of 500 and above
  std::uint64_t waiting = 0;   // at this moment: sent, and no answer yet
  std::uint64_t active = 0;    // at this moment: not over, with an answer or without
  std::array<std::uint64_t, observe::kBounds + 1> durations{};  // in the buckets of observe::kDurations, not cumulative; the last is above all bounds

  // What came after `start`, an earlier state of the same counters; those of this moment are those of now.
  PoolCounts since(const PoolCounts& start) const noexcept;
  // The same with so many more that were answered in no time that counts. A pool that answers nothing would otherwise look like one that was
  // asked nothing.
  PoolCounts with_overdue(std::uint64_t more) const noexcept;
  // Failed part of the requests; zero where there were none.
  double error_ratio() const noexcept;
  // The duration that 95 % of the answers did not exceed, estimated within its bucket as Prometheus' histogram_quantile does. Nothing without
  // answers; the last bound where it lies above all bounds.
  std::optional<std::chrono::nanoseconds> p95() const noexcept;
};

struct SwitchLimits {
  std::optional<double> max_error_ratio;              // 0 to 1
  std::optional<std::chrono::milliseconds> max_p95;
  std::uint64_t min_requests = 20;                    // fewer decide nothing
  bool operator==(const SwitchLimits&) const = default;
};

class SwitchJudge {
 public:
  explicit SwitchJudge(SwitchLimits limits) noexcept : limits_(limits) {}

  // Why the target has to go back, as a sentence about it; nothing: it may go on. `base` is what it is compared with: what the other pool did
  // meanwhile, or, where that got nothing, did before. Worse than base means an error ratio that is higher by more than kMargin, and by more than
  // chance explains (kSurely standard errors of the difference of two proportions: it is judged again and again, so one in a hundred is not rare
  // enough), with min_requests at either.
  std::optional<std::string> problem(const PoolCounts& target, const PoolCounts& base) const;
  // So few requests came that none of the rules could apply.
  bool saw_too_few(const PoolCounts& target) const noexcept { return target.requests < limits_.min_requests; }

  static constexpr double kMargin = 0.05;
  static constexpr double kSurely = 3;

 private:
  SwitchLimits limits_;
};

// "9.8 %", "12 ms": for sentences and tables.
std::string percent_text(double ratio);
std::string latency_text(std::chrono::nanoseconds duration);

}  // namespace gatehouse
