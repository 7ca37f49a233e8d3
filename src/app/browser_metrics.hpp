// What the filters that speak to browsers counted, as metric families: CORS, cookies, cross-site requests, policy
// reports.
#pragma once

#include "admin/metrics_page.hpp"
#include "app/filter_catalog.hpp"

#include <memory>
#include <vector>

namespace gatehouse {

// The sums over all workers.
std::vector<admin::Family> browser_families(const std::vector<std::unique_ptr<WorkerFilterCounters>>& workers);

}  // namespace gatehouse
