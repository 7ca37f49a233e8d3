#include "filters/rate_filters.hpp"

#include "filters/rate_limit.hpp"

#include <algorithm>

namespace gatehouse {

std::vector<std::unique_ptr<Filter>> make_rate_limits(const std::vector<RatePolicy>& policies, RateTables& tables,
                                                      RedisLinks& links) {
  std::vector<RatePolicy> local;
  std::vector<std::vector<RatePolicy>> shared;
  for (const RatePolicy& policy : policies) {
    if (!policy.store) {
      local.push_back(policy);
      continue;
    }
    const auto same = std::find_if(shared.begin(), shared.end(),
                                   [&](const auto& group) { return group.front().store == policy.store; });
    if (same == shared.end())
      shared.push_back({policy});
    else
      same->push_back(policy);
  }
  std::vector<std::unique_ptr<Filter>> filters;
  if (!local.empty()) filters.push_back(std::make_unique<RateLimit>(local, tables));
  for (const auto& group : shared)
    filters.push_back(std::make_unique<RateStoreRedis>(group, tables, links.obtain(*group.front().store)));
  return filters;
}

}  // namespace gatehouse
