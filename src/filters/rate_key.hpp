// What a limit counts by: the client's network, the route, or what the client shows (a field, a cookie, a query
// parameter), or several of these together.
//
// Two spellings that an application reads as one value are one key: percent-encoding is undone, quotes around a cookie
// are dropped, and the scheme of `Authorization` is compared without case. Where a request shows nothing, or several
// values of which the application will read one, the client's network stands in: neither leaving a field out nor
// sending it twice is a way around a limit, and clients without it do not share one. A client may still show a new
// value with every request, so a limit by something that nobody has verified belongs behind authentication, or beside a
// limit by address. Immutable; costs no allocation.
#pragma once

#include "filters/rate_hash.hpp"
#include "filters/rate_table.hpp"

#include <gatehouse/filter.hpp>

#include <string>
#include <vector>

namespace gatehouse {

struct RateKeyPart {
  enum class Kind : std::uint8_t { kClientAddress, kRoute, kHeader, kCookie, kQuery };
  Kind kind = Kind::kClientAddress;
  std::string name;  // of the field, cookie or parameter
  bool operator==(const RateKeyPart&) const = default;
};

// `client_address`, `route`, `header:NAME`, `cookie:NAME`, `query:NAME`.
std::optional<RateKeyPart> parse_rate_key_part(std::string_view text);

struct RateKeySpec {
  std::vector<RateKeyPart> parts = {{}};
  // A household or a host has at least that much of IPv6 for itself.
  unsigned ipv4_prefix = 32;
  unsigned ipv6_prefix = 64;

  RateKey key_of(const Exchange& exchange, const HashSecret& secret) const;
  // What key_of() hashes, in the exchange's arena, for a store that several processes share. May hold secrets.
  std::string_view bytes_of(const Exchange& exchange) const;
  // Nothing in it that the client chooses freely.
  bool by_address_only() const noexcept;
  bool operator==(const RateKeySpec&) const = default;
};

}  // namespace gatehouse
