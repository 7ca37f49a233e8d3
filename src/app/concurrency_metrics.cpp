#include "app/concurrency_metrics.hpp"

#include <map>

namespace gatehouse {

std::vector<admin::Family> concurrency_families(const ConcurrencyLimit::Gates& gates) {
  struct Sums {
    std::int64_t in_use = 0;
    std::int64_t waiting = 0;
    std::map<std::string, std::uint64_t> refused;
  };
  // A configuration that goes and the one that comes may both have a limit of that name.
  std::map<std::string, Sums> limits;
  gates.for_each([&](const std::string& name, const ConcurrencyShared& shared) {
    const auto& counters = shared.counters;
    Sums& sums = limits[name];
    if (shared.gate) {
      sums.in_use += shared.gate->in_use();
      sums.waiting += shared.gate->waiting();
    }
    sums.refused["queue_full"] += counters.queue_full.load(std::memory_order_relaxed);
    sums.refused["queue_timeout"] += counters.queue_timeouts.load(std::memory_order_relaxed);
    sums.refused["too_many_concurrent"] += counters.client_refusals.load(std::memory_order_relaxed);
  });
  admin::Family in_use{"gatehouse_concurrency_in_use", "Requests that have a place.", false, {}};
  admin::Family waiting{"gatehouse_concurrency_waiting", "Requests that wait for a place.", false, {}};
  admin::Family refused{"gatehouse_concurrency_refused_total", "Requests that found no place.", true, {}};
  for (const auto& [name, sums] : limits) {
    in_use.samples.push_back({{{"limit", name}}, static_cast<double>(sums.in_use)});
    waiting.samples.push_back({{{"limit", name}}, static_cast<double>(sums.waiting)});
    for (const auto& [reason, count] : sums.refused)
      refused.samples.push_back({{{"limit", name}, {"reason", reason}}, static_cast<double>(count)});
  }
  return {in_use, waiting, refused};
}

}  // namespace gatehouse
