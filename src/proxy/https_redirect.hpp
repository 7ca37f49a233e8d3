// On listeners that say so, sends every request to the same URL over https:// (308: the method and body stay). Trusts nobody.
#pragma once

#include <gatehouse/filter.hpp>

namespace gatehouse::proxy {

class HttpsRedirect final : public HeaderFilter {
 public:
  // The exchange is a ProxyExchange.
  std::optional<Response> on_request(Exchange& exchange) const override;
  void on_response(Exchange&, Response&) const override {}
};

}  // namespace gatehouse::proxy
