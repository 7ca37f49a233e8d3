// The rest of a long answer, moved from the app's socket to the client's inside the kernel. Only where nothing looks at the bytes: plain
// connections on both sides, a length that is known, no copy for the log. Thread: the worker's.
#pragma once

#include "proxy/proxy_exchange.hpp"

namespace gatehouse::proxy {

struct MoveEnd {
  error_code error;             // none: the body is complete
  bool client_side = false;     // whose connection it was
};

// Whether it is worth it for what is left of this answer.
bool can_move_body(const ProxyExchange& exchange, const Response& response) noexcept;
// Moves what is left and counts it. Nothing was moved and errc::exhausted where no pipe is to be had: then copy it.
awaitable<MoveEnd> move_body(ProxyExchange& exchange);

}  // namespace gatehouse::proxy
