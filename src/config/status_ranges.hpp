// `200-399` and `200,204,300-399`: sets of status codes.
#pragma once

#include "config/config.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

// The ranges in the order of the text; empty: it is not such a set.
std::vector<StatusRange> parse_status_ranges(std::string_view text);
std::optional<std::string> status_ranges_problem(std::string_view text);

}  // namespace gatehouse
