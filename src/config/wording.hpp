// How mistakes and the reference page speak of keys and values.
#pragma once

#include <gatehouse/options.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

// A text from the file in quotes: bounded, and valid UTF-8.
std::string shown(std::string_view text);
// A URL without what may be a password.
std::string without_user(const std::string& text);
// What a value must be: "a duration such as 250ms, 5s or 1h".
std::string kind_name(const KeySpec& spec);
// "json or text".
std::string listed(const std::vector<std::string>& words, std::string_view last = "or");
// The bounds of a number in the units of its key: "at least 1", "1ms to 1d".
std::string range_text(const KeySpec& spec);

}  // namespace gatehouse
