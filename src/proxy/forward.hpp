// The innermost step of a route: sends the request to the app and returns its answer, the body still flowing.
#pragma once

#include "filters/chain.hpp"
#include "proxy/error_response.hpp"

namespace gatehouse::proxy {

class ProxyExchange;

class Forward final : public Terminal {
 public:
  // `exchange` is a ProxyExchange. Failures arrive as responses; a request that a reused connection lost before any response
  // byte is sent once more on a new one where that is safe (RFC 9110 9.2.2).
  awaitable<Response> handle(Exchange& exchange) override;
};

// Ends what forward began: hands the connection back if the app may be asked again on it, closes it otherwise, and waits for an
// upload to stop. Call it once the response has been sent or given up.
awaitable<void> finish_forward(ProxyExchange& exchange);

}  // namespace gatehouse::proxy
