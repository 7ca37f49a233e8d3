// Fields that concern one connection only and never cross the proxy (RFC 9110 7.6.1).
#pragma once

#include <gatehouse/message.hpp>

namespace gatehouse::http {

// Removes them, and those that Connection names, except fields that the other side needs whatever Connection says
// (Host, Authorization, Content-Length, X-Forwarded-*, ...): naming these is an attack, not an option. Framing fields
// (Content-Length, Transfer-Encoding) and Expect go as well: what is sent on gets framing of its own. Fields of a
// request go before any filter sees it, so that no client can remove by Connection what a filter adds.
void remove_hop_by_hop(Headers& headers);

}  // namespace gatehouse::http
