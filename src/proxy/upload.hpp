// Sends the rest of a request body to the app while the response is awaited: an app may answer before it has read everything,
// and both directions must move for that.
#pragma once

namespace gatehouse::proxy {

class ProxyExchange;

// Starts sending; `exchange.upload` tells how it goes. The exchange must wait for its end before it dies. When the client breaks
// the body off, the app's connection is cancelled: a message without its end must not look whole.
void start_upload(ProxyExchange& exchange);

}  // namespace gatehouse::proxy
