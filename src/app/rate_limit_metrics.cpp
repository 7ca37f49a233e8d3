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
    {"gatehouse_rate_limit_evictions_total", "Keys that made room for others.", true, &RateCounters::evictions},
    {"gatehouse_rate_limit_displaced_total", "Keys that made room although their count still mattered.", true,
     &RateCounters::displaced},
    {"gatehouse_rate_limit_keys", "Keys that have a place in memory.", false, &RateCounters::keys},
};

struct StoreOutcome {
  const char* outcome;
  std::atomic<std::uint64_t> RateCounters::*value;
};

constexpr StoreOutcome kStoreOutcomes[] = {{"answered", &RateCounters::store_answers},
                                           {"timeout", &RateCounters::store_timeouts},
                                           {"failed", &RateCounters::store_failures}};

struct Totals {
  std::array<std::uint64_t, std::size(kCounted)> counted{};
  std::array<std::uint64_t, std::size(kStoreOutcomes)> store{};
};

}  // namespace

std::vector<admin::Family> rate_limit_families(const RateTables& tables) {
  // Two policies may have one name: a label set must not occur twice.
  std::map<std::string, Totals> totals;
  tables.for_each([&](const std::string& name, const RateTable& table) {
    const auto read = [&](const auto value) { return (table.counters().*value).load(std::memory_order_relaxed); };
    Totals& sums = totals[name];
    for (std::size_t i = 0; i < sums.counted.size(); ++i) sums.counted[i] += read(kCounted[i].value);
    for (std::size_t i = 0; i < sums.store.size(); ++i) sums.store[i] += read(kStoreOutcomes[i].value);
  });
  std::vector<admin::Family> families;
  for (std::size_t i = 0; i < std::size(kCounted); ++i) {
    families.push_back({kCounted[i].name, kCounted[i].help, kCounted[i].counter, {}});
    for (const auto& [name, sums] : totals)
      families.back().samples.push_back({{{"policy", name}}, static_cast<double>(sums.counted[i])});
  }
  families.push_back({"gatehouse_rate_limit_store_decisions_total",
                      "Decisions asked of the shared store: answered, not in time (timeout), or failed.",
                      true,
                      {}});
  for (const auto& [name, sums] : totals)
    for (std::size_t i = 0; i < sums.store.size(); ++i)
      families.back().samples.push_back(
          {{{"policy", name}, {"outcome", kStoreOutcomes[i].outcome}}, static_cast<double>(sums.store[i])});
  return families;
}

}  // namespace gatehouse
