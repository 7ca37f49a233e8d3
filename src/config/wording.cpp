#include "config/wording.hpp"

#include "config/setting_value.hpp"
#include "config/source_text.hpp"
#include "config/units.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

constexpr std::size_t kLongestShown = 60;

std::string amount_text(const KeySpec& spec, std::int64_t amount) {
  if (spec.type == KeyType::kDuration) return format_duration(std::chrono::milliseconds(amount));
  if (spec.type == KeyType::kBytes) return format_bytes(static_cast<Bytes>(amount));
  return std::to_string(amount);
}

}  // namespace

std::string shown(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (result.size() + length > kLongestShown) return result + "...\"";
    result += length == 0 ? "?" : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result + "\"";
}

std::string without_user(const std::string& text) {
  const std::size_t authority = text.find("://");
  const std::size_t at = text.rfind('@');
  if (authority == std::string::npos || at == std::string::npos || at < authority) return text;
  return text.substr(0, authority + 3) + std::string(kRedacted) + text.substr(at);
}

std::string kind_name(const KeySpec& spec) {
  switch (spec.type) {
    case KeyType::kText:
      return "a text" + (spec.text_format == nullptr ? "" : " (" + std::string(spec.text_format->name) + ")");
    case KeyType::kBoolean:
      return "true or false";
    case KeyType::kInteger:
      return "a whole number";
    case KeyType::kNumber:
      return "a number";
    case KeyType::kDuration:
      return "a duration such as 250ms, 5s or 1h";
    case KeyType::kBytes:
      return "a size such as 16KiB or 10MiB";
    case KeyType::kChoice:
      return "one word";
    case KeyType::kTexts:
      return "a list of texts: [a, b]";
    case KeyType::kMap:
      return spec.shorthand.empty() ? "a map of keys and values"
                                    : "a map of keys and values, or its " + spec.shorthand + " alone";
    case KeyType::kMaps:
      return "a list of maps: one \"- key: value\" for each item";
  }
  return {};
}

std::string listed(const std::vector<std::string>& words, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " " + std::string(last) + " " : ", ") + words[i];
  return text;
}

std::string range_text(const KeySpec& spec) {
  if (spec.maximum == std::numeric_limits<std::int64_t>::max()) return "at least " + amount_text(spec, spec.minimum);
  return amount_text(spec, spec.minimum) + " to " + amount_text(spec, spec.maximum);
}

}  // namespace gatehouse
