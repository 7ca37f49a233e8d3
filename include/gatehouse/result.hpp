// Errors that are expected at run time (peer, network, limit, bad message) are values: result<T> or error_code, never
// thrown. Only what std::expected shares is used of result<T>: `if (!r)`, `*r`, `r->`, `r.error()`.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace gatehouse {

using boost::system::error_code;
template <class T>
using result = boost::system::result<T>;

// What went wrong on a connection or in a message, independent of who caused it.
enum class errc {
  timeout = 1,      // a deadline of ours passed
  cancelled,        // we stopped waiting: drain, or the other side of the exchange ended
  closed,           // the peer closed in an orderly way where more was expected
  reset,            // the peer, or the network, broke the connection
  malformed,        // bytes that the protocol forbids
  too_large,        // a configured bound was hit
  too_slow,         // the peer stays under the minimum rate
  unreachable,      // no connection could be made
  unresolved,       // the host name has no address
  tls,              // the TLS layer failed; details are in the log
  exhausted,        // no descriptor, memory or slot left here
  invalid_argument  // configuration that cannot be used
};

const boost::system::error_category& gatehouse_category() noexcept;

inline error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), gatehouse_category()}; }

}  // namespace gatehouse

template <>
struct boost::system::is_error_code_enum<gatehouse::errc> : std::true_type {};
