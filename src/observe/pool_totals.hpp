// What all workers counted of one pool of the app, at one moment: a value, to be compared with a later one.
#pragma once

#include "observe/pool_stats.hpp"

#include <array>

namespace gatehouse::observe {

struct PoolTotals {
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  std::uint64_t waiting = 0;  // at this moment
  std::uint64_t active = 0;   // the same
  std::array<std::uint64_t, kBounds + 1> durations{};  // in the buckets of kDurations, not cumulative; the last: beyond all bounds

  void add(const PoolStats& stats) noexcept {
    requests += stats.requests.get();
    failures += stats.failures.get();
    waiting += stats.waiting.get();
    active += stats.active.get();
    for (std::size_t i = 0; i <= kBounds; ++i) durations[i] += stats.duration.bucket(i);
  }
};

}  // namespace gatehouse::observe
