// Where Redis is and how to log in: redis://[user:password@]host[:port][/database], rediss:// for TLS, or
// unix:///path[?db=N]. Immutable.
#pragma once

#include <gatehouse/options.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

struct RedisAddress {
  std::string host;
  std::uint16_t port = 6379;
  std::string unix_path;  // instead of host and port
  bool tls = false;
  std::string user;
  Secret password;
  unsigned database = 0;
  bool operator==(const RedisAddress&) const = default;
};

std::optional<RedisAddress> parse_redis_url(std::string_view text);

}  // namespace gatehouse
