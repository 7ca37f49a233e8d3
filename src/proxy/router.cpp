#include "proxy/router.hpp"

#include "http/target.hpp"

#include <algorithm>

namespace gatehouse::proxy {
namespace {

std::string_view without_port(std::string_view authority) noexcept {
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  auto host = has_port ? authority.substr(0, colon) : authority;
  // `example.com.` is the same host, fully qualified.
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

bool host_matches(std::string_view pattern, std::string_view authority) noexcept {
  if (pattern.empty()) return true;
  const auto host = without_port(authority);
  if (!pattern.starts_with("*.")) return equals_ignoring_case(pattern, host);
  const auto suffix = pattern.substr(1);
  return host.size() > suffix.size() && equals_ignoring_case(host.substr(host.size() - suffix.size()), suffix);
}

bool method_matches(const std::vector<std::string>& methods, std::string_view method) noexcept {
  return methods.empty() || std::find(methods.begin(), methods.end(), method) != methods.end();
}

}  // namespace

PathPattern::PathPattern(std::string_view text) {
  Arena arena(256);
  const auto pattern = http::comparable_path(text, arena);
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

const Route& Router::find(const Request& request) const {
  const auto path = http::comparable_path(request.path, request.headers.arena());
  for (const auto& route : routes_)
    if (method_matches(route->settings.methods, request.method_text) &&
        host_matches(route->settings.host, request.authority) &&
        (route->pattern.matches(path) || (request.path == "*" && route == routes_.back())))
      return *route;
  return *routes_.back();
}

}  // namespace gatehouse::proxy
