// Answers for requests that were refused before any filter saw them: a malformed or slow head, a connection over the limit. It
// stands inside the filters that decorate answers, so that a browser can read these as well. Trusts nobody.
#pragma once

#include <gatehouse/filter.hpp>

namespace gatehouse::proxy {

class Hygiene final : public HeaderFilter {
 public:
  // The exchange is a ProxyExchange.
  std::optional<Response> on_request(Exchange& exchange) const override;
  void on_response(Exchange&, Response&) const override {}
};

}  // namespace gatehouse::proxy
