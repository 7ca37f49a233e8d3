// One GET over a connection that is there already, for what Gatehouse itself asks. Bounded in time and memory.
#pragma once

#include "health/dialer.hpp"

#include <string>
#include <string_view>

namespace gatehouse::health {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// Sends the request and reads the answer; of its body at most `most_body` bytes, or errc::too_large. With 0 the body is not waited for.
net::awaitable<result<HttpAnswer>> http_get(net::Stream& stream, std::string target, std::string authority, std::size_t most_body,
                                            net::Clock::time_point until);

}  // namespace gatehouse::health
