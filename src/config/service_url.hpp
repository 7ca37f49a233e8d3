// The URL of a service that the app depends on, taken apart: postgres://user:password@host:port/name?parameter=value. A
// value; it holds secrets, and no text made here repeats any of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse {

struct ServiceUrl {
  std::string scheme;  // without a driver: `postgresql` of postgresql+asyncpg://
  std::string user;
  std::string password;
  std::string host;        // no brackets; empty for `unix`, or where a parameter names it
  std::uint16_t port = 0;  // zero: not given
  std::string path;        // decoded, with its slash
  std::string target;      // path and query as they were written, at least "/"
  std::vector<std::pair<std::string, std::string>> parameters;

  // The value of the first parameter of that name, or an empty text.
  std::string_view parameter(std::string_view name) const noexcept;
};

// Fills `url`. Returns an empty text, or what is wrong as the end of a sentence ("has no host") and an unusable `url`.
std::string_view parse_service_url(std::string_view text, ServiceUrl& url);

}  // namespace gatehouse
