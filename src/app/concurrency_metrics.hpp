// What limits on concurrent requests count, for the metrics page: one series for each limit.
#pragma once

#include "admin/metrics_page.hpp"
#include "filters/concurrency_limit.hpp"

#include <vector>

namespace gatehouse {

std::vector<admin::Family> concurrency_families(const ConcurrencyLimit::Gates& gates);

}  // namespace gatehouse
