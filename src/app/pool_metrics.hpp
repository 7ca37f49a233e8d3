// What is known about the pools of the app and their addresses, for the metrics page. Nothing where there is one pool of one address:
// the other figures about the app say it all then.
#pragma once

#include "admin/metrics_page.hpp"
#include "config/config.hpp"
#include "upstream/address_health.hpp"
#include "upstream/traffic_split.hpp"

#include <vector>

namespace gatehouse {

// Whether requests are counted by pool.
bool counts_pools(const Upstream& upstream);
std::vector<admin::Family> pool_families(const Upstream& upstream, const upstream::TrafficSplit& split, const upstream::PoolNames& names,
                                         const upstream::AddressHealths& healths);

}  // namespace gatehouse
