#include "app/concurrency_metrics.hpp"

#include <map>

namespace gatehouse {

std::vector<admin::Family> concurrency_families(const ConcurrencyLimit::Gates& gates) {
  struct Sums {
    std::int64_t places = 0;
    std::int64_t in_use = 0;
    std::int64_t waiting = 0;
    std::uint64_t waits = 0;
    std::uint64_t untracked = 0;
    std::map<std::string, std::uint64_t> refused;
  };
  // A configuration that goes and the one that comes may both have a limit of that name.
  std::map<std::string, Sums> limits;
  gates.for_each([&](const std::string& name, const ConcurrencyShared& shared) {
    const auto& counters = shared.counters;
    Sums& sums = limits[name];
    if (shared.gate) {
      sums.places += shared.gate->places();
      sums.in_use += shared.gate->in_use();
      sums.waiting += shared.gate->waiting();
    }
    sums.waits += counters.waits.load(std::memory_order_relaxed);
    sums.untracked += shared.clients.untracked();
    sums.refused["abandoned_in_queue"] += counters.abandoned.load(std::memory_order_relaxed);
    sums.refused["queue_full"] += counters.queue_full.load(std::memory_order_relaxed);
    sums.refused["queue_timeout"] += counters.queue_timeouts.load(std::memory_order_relaxed);
    sums.refused["too_many_concurrent"] += counters.client_refusals.load(std::memory_order_relaxed);
  });
  admin::Family places{"gatehouse_concurrency_places", "Requests that may have a place at the same time.", false, {}};
  admin::Family in_use{"gatehouse_concurrency_in_use", "Requests that have a place.", false, {}};
  admin::Family waiting{"gatehouse_concurrency_waiting", "Requests that wait for a place.", false, {}};
  admin::Family waits{"gatehouse_concurrency_waits_total", "Requests that found no place at once.", true, {}};
  admin::Family refused{"gatehouse_concurrency_refused_total", "Requests that got no place.", true, {}};
  admin::Family untracked{
      "gatehouse_concurrency_untracked_total", "Requests whose client could not be counted.", true, {}};
  for (const auto& [name, sums] : limits) {
    const auto add = [&, &limit = name](admin::Family& family, auto value) {
      family.samples.push_back({{{"limit", limit}}, static_cast<double>(value)});
    };
    add(places, sums.places);
    add(in_use, sums.in_use);
    add(waiting, sums.waiting);
    add(waits, sums.waits);
    add(untracked, sums.untracked);
    for (const auto& [reason, count] : sums.refused)
      refused.samples.push_back({{{"limit", name}, {"reason", reason}}, static_cast<double>(count)});
  }
  return {places, in_use, waiting, waits, refused, untracked};
}

}  // namespace gatehouse
