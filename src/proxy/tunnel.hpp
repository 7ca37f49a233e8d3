// Bytes both ways after a protocol switch (WebSocket): neither looked at nor held back.
#pragma once

#include <gatehouse/message.hpp>

namespace gatehouse::proxy {

class ByteSource;
class ProxyExchange;

// Relays until both directions have ended, one breaks, or nothing moves for the tunnel's idle time. An orderly end of one
// direction is passed on and the other goes on.
awaitable<void> run_tunnel(ProxyExchange& exchange, ByteSource& from_client);

}  // namespace gatehouse::proxy
