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

// What a preflight (Fetch 3.2.2) asks leave for; empty for any other request.
std::string_view preflight_method(const Request& request) noexcept {
  if (request.method != Method::kOptions || request.headers.find(FieldId::origin) == nullptr) return {};
  return request.headers.value(FieldId::access_control_request_method);
}

}  // namespace

const Route& Router::find(const Request& request) const {
  const auto path = http::comparable_path(request.path, request.headers.arena());
  const auto asked = preflight_method(request);
  for (const auto& route : routes_)
    if (method_matches(route->settings.methods, route->answers_preflights && !asked.empty() ? asked : request.method_text) &&
        host_matches(route->settings.host, request.authority) &&
        (route->pattern.matches(path) || (request.path == "*" && route == routes_.back())))
      return *route;
  return *routes_.back();
}

}  // namespace gatehouse::proxy
