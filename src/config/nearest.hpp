// "Did you mean": the known word nearest to what was written.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gatehouse {

// The candidate within a few typing mistakes of `word`, or nothing. `-`, `_` and case do not count as differences.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace gatehouse
