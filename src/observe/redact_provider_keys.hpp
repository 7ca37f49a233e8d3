// Keys that show by the prefix their provider gives them, and JSON web tokens. Pure functions over a text and a place in it; linear in the
// length of what they find.
#pragma once

#include "observe/redact_tokens.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace gatehouse {

// The secret that begins at `at`, where a run of token characters begins (or goes on behind `-` or `_`) that ends at
// `run_end`. May end behind it (the other parts of a JSON web token).
std::optional<TextSpan> find_token(std::string_view text, std::size_t at, std::size_t run_end) noexcept;
// The secret around a whole run that no prefix of the run gives away; may begin before it (`SG.`).
std::optional<TextSpan> find_odd_token(std::string_view text, std::size_t at, std::size_t run_end) noexcept;

}  // namespace gatehouse
