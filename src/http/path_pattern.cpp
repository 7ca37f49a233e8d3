#include "http/path_pattern.hpp"

#include "http/target.hpp"

namespace gatehouse::http {

PathPattern::PathPattern(std::string_view text) {
  Arena arena(256);
  const auto pattern = comparable_path(text, arena);
  std::size_t at = 0;
  while (at < pattern.size()) {
    std::size_t next = pattern.find('/', at + 1);
    if (next == std::string_view::npos) next = pattern.size();
    const auto segment = pattern.substr(at + 1, next - at - 1);
    if (segment == "*" && next == pattern.size())
      rest_ = true;
    else if (segment.starts_with('{') && segment.ends_with('}'))
      segments_.emplace_back();
    else
      segments_.push_back("/" + std::string(segment));
    at = next;
  }
}

bool PathPattern::matches(std::string_view path) const noexcept {
  std::size_t at = 0;
  for (const std::string& expected : segments_) {
    if (at >= path.size()) return false;
    std::size_t next = path.find('/', at + 1);
    if (next == std::string_view::npos) next = path.size();
    const auto segment = path.substr(at, next - at);
    if (expected.empty() ? segment.size() < 2 : segment != expected) return false;
    at = next;
  }
  return rest_ || at == path.size();
}

}  // namespace gatehouse::http
