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

// A request body is still on its way although the response is over: then stop_upload() comes before finish_forward().
bool upload_goes_on(const ProxyExchange& exchange) noexcept;
// Ends the upload and waits until it has ended.
awaitable<void> stop_upload(ProxyExchange& exchange);
// Ends what forward began: hands the connection back if the app may be asked again on it, closes it otherwise. Call it once the
// response has been sent or given up.
void finish_forward(ProxyExchange& exchange);

}  // namespace gatehouse::proxy
