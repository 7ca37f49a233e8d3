#include "proxy/hygiene.hpp"

#include "proxy/error_response.hpp"
#include "proxy/proxy_exchange.hpp"

namespace gatehouse::proxy {

std::optional<Response> Hygiene::on_request(Exchange& base) const {
  auto& exchange = static_cast<ProxyExchange&>(base);
  switch (exchange.refusal.kind) {
    case Refusal::Kind::kHead: return refuse_head(exchange, exchange.refusal.error);
    case Refusal::Kind::kSlowHead: return refuse_slow_head(exchange);
    case Refusal::Kind::kOverload: return refuse_overload(exchange);
    case Refusal::Kind::kNone: break;
  }
  // A declared length over the limit is refused before a byte of it is read; others are counted as they come.
  const auto& framing = exchange.head.framing;
  if (framing.kind == http::Framing::Kind::kLength && framing.length > exchange.route_entry->settings.body_limit)
    return refuse_head(exchange, http::HeadError::body_too_large);
  return std::nullopt;
}

}  // namespace gatehouse::proxy
