#include "app/rate_limit_metrics.hpp"

#include <array>
#include <map>

namespace gatehouse {
namespace {

struct Counted {
  const char* name;
  const char* help;
  bool counter;
  std::atomic<std::uint64_t> RateCounters::*value;
};

constexpr Counted kCounted[] = {
    {"gatehouse_rate_limited_total", "Requests refused by a rate limit.", true, &RateCounters::limited},
    {"gatehouse_rate_limit_shadow_total", "Requests that a limit in shadow mode would have refused.", true,
     &RateCounters::shadow_limited},
    {"gatehouse_rate_limit_lockouts_total", "Lock-outs after failures.", true, &RateCounters::lockouts},
    {"gatehouse_rate_limit_store_failures_total", "Decisions that the shared store did not make in time.", true,
     &RateCounters::store_failures},
    {"gatehouse_rate_limit_evictions_total", "Keys that made room for others.", true, &RateCounters::evictions},
    {"gatehouse_rate_limit_displaced_total", "Keys that made room although their count still mattered.", true,
     &RateCounters::displaced},
    {"gatehouse_rate_limit_keys", "Keys that have a place in memory.", false, &RateCounters::keys},
};

}  // namespace

std::vector<admin::Family> rate_limit_families(const RateTables& tables) {
  // Two policies may have one name: a label set must not occur twice.
  std::map<std::string, std::array<std::uint64_t, std::size(kCounted)>> totals;
  tables.for_each([&](const std::string& name, const RateTable& table) {
    auto& sums = totals[name];
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] += (table.counters().*kCounted[i].value).load(std::memory_order_relaxed);
  });
  std::vector<admin::Family> families;
  for (std::size_t i = 0; i < std::size(kCounted); ++i) {
    families.push_back({kCounted[i].name, kCounted[i].help, kCounted[i].counter, {}});
    for (const auto& [name, sums] : totals)
      families.back().samples.push_back({{{"policy", name}}, static_cast<double>(sums[i])});
  }
  return families;
}

}  // namespace gatehouse
