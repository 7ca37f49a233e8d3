// The filters that a list of policies needs: one for those that count in this process, and one for each store that
// replicas share. Start-up only.
#pragma once

#include "filters/rate_store_redis.hpp"

#include <memory>
#include <vector>

namespace gatehouse {

// Outermost first: what can be refused without asking anybody is refused first. `tables` must outlive the filters.
std::vector<std::unique_ptr<Filter>> make_rate_limits(const std::vector<RatePolicy>& policies, RateTables& tables,
                                                      RedisLinks& links);

}  // namespace gatehouse
