#include "proxy/https_redirect.hpp"

#include "proxy/proxy_exchange.hpp"
#include "proxy/worker_state.hpp"

#include <string>

namespace gatehouse::proxy {

std::optional<Response> HttpsRedirect::on_request(Exchange& base) const {
  auto& exchange = static_cast<ProxyExchange&>(base);
  if (!exchange.listener.redirect_to_https) return std::nullopt;
  const Request& request = exchange.request();
  if (request.authority.empty() || request.path == "*")
    return exchange.refuse(400, "This port only redirects to https, and the request names no host", "missing_host",
                           ResponseFlag::kDownstreamProtocolError);
  auto host = request.authority;
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  std::string port;
  if (has_port) {
    host = host.substr(0, colon);
    // A client that names no port came by the default one, and then the secure default is open as well.
    if (exchange.listener.https_port != 443) port = ":" + std::to_string(exchange.listener.https_port);
  }
  const auto query = request.has_query ? std::string_view("?") : std::string_view{};
  const auto location = exchange.arena().join({"https://", host, port, request.path, query, request.query});
  Response response = exchange.answer(308, "text/plain", "This service is served over https.\n", "redirect_to_https");
  response.headers.add_view("location", location);
  return response;
}

}  // namespace gatehouse::proxy
