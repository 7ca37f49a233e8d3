// What rate limits count, for the metrics page: one series for each policy's name.
#pragma once

#include "admin/metrics_page.hpp"
#include "filters/rate_tables.hpp"

#include <vector>

namespace gatehouse {

std::vector<admin::Family> rate_limit_families(const RateTables& tables);

}  // namespace gatehouse
