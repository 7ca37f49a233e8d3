#include "app/switch_judge.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <spdlog/fmt/fmt.h>

namespace gatehouse {
namespace {

std::uint64_t difference(std::uint64_t now, std::uint64_t before) noexcept { return now > before ? now - before : 0; }

// Of a part of `requests`; in standard errors of the difference.
double surprise(const PoolCounts& target, const PoolCounts& base) noexcept {
  const auto of_target = static_cast<double>(target.requests);
  const auto of_base = static_cast<double>(base.requests);
  const double together = static_cast<double>(target.failures + base.failures) / (of_target + of_base);
  const double error = std::sqrt(together * (1 - together) * (1 / of_target + 1 / of_base));
  return error == 0 ? 0 : (target.error_ratio() - base.error_ratio()) / error;
}

std::string failed(const PoolCounts& counts) {
  return fmt::format("{} of {} requests failed ({})", counts.failures, counts.requests, percent_text(counts.error_ratio()));
}

std::string about(std::chrono::nanoseconds p95) {
  constexpr std::chrono::nanoseconds kLast(static_cast<std::int64_t>(observe::kDurations.bounds.back()));
  return p95 >= kLast ? latency_text(kLast) + " or more" : "about " + latency_text(p95);
}

}  // namespace

PoolCounts PoolCounts::since(const PoolCounts& start) const noexcept {
  PoolCounts passed{difference(requests, start.requests), difference(failures, start.failures), waiting, active, {}};
  for (std::size_t i = 0; i < durations.size(); ++i) passed.durations[i] = difference(durations[i], start.durations[i]);
  return passed;
}

PoolCounts PoolCounts::with_overdue(std::uint64_t more) const noexcept {
  PoolCounts all = *this;
  all.requests += more;
  all.durations.back() += more;
  return all;
}

double PoolCounts::error_ratio() const noexcept {
  return requests == 0 ? 0 : std::min(1.0, static_cast<double>(failures) / static_cast<double>(requests));
}

std::optional<std::chrono::nanoseconds> PoolCounts::p95() const noexcept {
  const auto& bounds = observe::kDurations.bounds;
  const std::uint64_t all = std::accumulate(durations.begin(), durations.end(), std::uint64_t{0});
  if (all == 0) return std::nullopt;
  const double rank = 0.95 * static_cast<double>(all);
  double below = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const auto here = static_cast<double>(durations[i]);
    if (here > 0 && below + here >= rank) {
      const double from = i == 0 ? 0 : static_cast<double>(bounds[i - 1]);
      const double estimate = from + (static_cast<double>(bounds[i]) - from) * (rank - below) / here;
      return std::chrono::nanoseconds(static_cast<std::int64_t>(estimate));
    }
    below += here;
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(bounds.back()));
}

std::optional<std::string> SwitchJudge::problem(const PoolCounts& target, const PoolCounts& base) const {
  if (saw_too_few(target)) return std::nullopt;
  const double ratio = target.error_ratio();
  if (limits_.max_error_ratio && ratio > *limits_.max_error_ratio)
    return failed(target) + ", at most " + percent_text(*limits_.max_error_ratio) + " may";
  const auto p95 = target.p95();
  if (limits_.max_p95 && p95 && *p95 > *limits_.max_p95)
    return fmt::format("its 95th percentile is {}, at most {} may be", about(*p95), latency_text(*limits_.max_p95));
  if (base.requests >= limits_.min_requests && ratio > base.error_ratio() + kMargin && surprise(target, base) > kSurely)
    return failed(target) + ", far more than the " + percent_text(base.error_ratio()) + " of the other pool";
  return std::nullopt;
}

std::string percent_text(double ratio) {
  const double percent = ratio * 100;
  // A part of nothing must not look like nothing.
  if (percent > 0 && percent < 0.1) return fmt::format("{:.2g} %", percent);
  return percent == std::floor(percent) ? fmt::format("{:.0f} %", percent) : fmt::format("{:.1f} %", percent);
}

std::string latency_text(std::chrono::nanoseconds duration) {
  const double milliseconds = std::chrono::duration<double, std::milli>(duration).count();
  if (milliseconds >= 10000) return fmt::format("{:.0f} s", milliseconds / 1000);
  return milliseconds < 10 && milliseconds != std::floor(milliseconds) ? fmt::format("{:.1f} ms", milliseconds) : fmt::format("{:.0f} ms", milliseconds);
}

}  // namespace gatehouse
