#include "config/json_text.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

// `value` with its further lines two columns to the right. Strings hold no line breaks, so this cannot change one.
std::string indented(const std::string& value) {
  std::string text;
  for (const char c : value) {
    text += c;
    if (c == '\n') text += "  ";
  }
  return text;
}

}  // namespace

std::string json_string(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20) {
      result += "\\u00";
      result += kHex[byte >> 4];
      result += kHex[byte & 15];
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string json_array(const std::vector<std::string>& items) {
  const bool is_short = std::all_of(items.begin(), items.end(),
                                    [](const std::string& item) { return item.find('\n') == std::string::npos; });
  std::string result = "[";
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) result += is_short ? ", " : ",";
    result += is_short ? items[i] : "\n  " + indented(items[i]);
  }
  return result + (is_short ? "]" : "\n]");
}

std::string JsonObject::text() const {
  if (members_.empty()) return "{}";
  std::string result = "{";
  for (std::size_t i = 0; i < members_.size(); ++i)
    result += (i == 0 ? "\n  " : ",\n  ") + json_string(members_[i].first) + ": " + indented(members_[i].second);
  return result + "\n}";
}

}  // namespace gatehouse
