#include "admin/verbs.hpp"

namespace gatehouse::admin {

bool from_browser(const Exchange& exchange) {
  const Headers& headers = exchange.request().headers;
  return !headers.value("origin").empty() || !headers.value("sec-fetch-site").empty();
}

std::optional<Response> refuse_verb(Exchange& exchange) {
  if (from_browser(exchange)) return exchange.refuse(403, "This is not for web pages", "from_browser", ResponseFlag::kLocal);
  if (exchange.request().method != Method::kPost) return not_allowed(exchange, "Only POST is served here", "POST");
  return std::nullopt;
}

Response not_allowed(Exchange& exchange, std::string_view title, std::string_view allowed) {
  Response response = exchange.refuse(405, title, "method_not_allowed", ResponseFlag::kLocal);
  response.headers.add_view("allow", allowed);
  return response;
}

Response uncached(Exchange& exchange, int status, std::string_view type, std::string_view body, std::string_view reason) {
  Response response = exchange.answer(status, type, body, reason);
  response.headers.add_view("cache-control", "no-store");
  return response;
}

}  // namespace gatehouse::admin
