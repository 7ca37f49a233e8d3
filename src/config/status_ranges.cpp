#include "config/status_ranges.hpp"

#include <charconv>

namespace gatehouse {
namespace {

// Nothing: not a status code.
std::optional<int> parse_status(std::string_view text) {
  int status = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
  if (text.size() != 3 || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (status < 100 || status > 599) return std::nullopt;
  return status;
}

}  // namespace

std::vector<StatusRange> parse_status_ranges(std::string_view text) {
  std::vector<StatusRange> ranges;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    const std::size_t dash = part.find('-');
    const auto first = parse_status(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_status(part.substr(dash + 1));
    if (!first || !last || *first > *last) return {};
    ranges.push_back({*first, *last});
    if (comma == std::string_view::npos) return ranges;
    text.remove_prefix(comma + 1);
  }
}

std::optional<std::string> status_ranges_problem(std::string_view text) {
  if (parse_status_ranges(text).empty()) return "is not a set of status codes such as 200, 200-399 or 200,204";
  return std::nullopt;
}

}  // namespace gatehouse
