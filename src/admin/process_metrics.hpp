// What every Prometheus client library tells about its process, under the same names.
#pragma once

#include "admin/metrics_page.hpp"

namespace gatehouse::admin {

std::vector<Family> process_families();

}  // namespace gatehouse::admin
