// Small questions about text that the parts of redaction share.
#pragma once

#include <gatehouse/message.hpp>

#include <cstddef>
#include <string_view>

namespace gatehouse {

// Shorter values of names that are only secret in URLs say too little to be one (`?state=CA`).
inline constexpr std::size_t kShortestInUrl = 4;

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
constexpr bool is_space(char c) noexcept { return is_blank(c) || c == '\n' || c == '\r'; }

// True when `text` ends with `end`, apart from ASCII case.
inline bool ends_with_ignoring_case(std::string_view text, std::string_view end) noexcept {
  return text.size() >= end.size() && equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

}  // namespace gatehouse
