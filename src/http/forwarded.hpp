// Who the client is, and over which scheme it came: what a trusted proxy tells in X-Forwarded-For or Forwarded
// (RFC 7239), read from the right, because everything left of the first untrusted hop may be the client's invention.
//
// Trusts the peer only if its address is in `trusted`; by default that is nobody, and then the fields are not read at
// all. Pure functions on one request.
#pragma once

#include "http/address.hpp"

namespace gatehouse {

enum class ForwardedSource : std::uint8_t {
  kXForwardedFor,  // with X-Forwarded-Proto
  kForwarded
};

struct ForwardedRules {
  CidrSet trusted;
  // One of the two, never both: a proxy that writes the one passes the client's version of the other on.
  ForwardedSource source = ForwardedSource::kXForwardedFor;
  // Hops read at most. With everybody trusted and one hop this is "the last address in the field is the client".
  std::size_t max_hops = 16;
};

struct SettledClient {
  IpAddress address;
  bool peer_trusted = false;
  // What the client used to reach the outermost trusted proxy, where that was told.
  std::optional<Scheme> scheme;
  // Addresses taken from the field; 0: the client is the peer.
  std::size_t hops = 0;
};

// Walks from the peer outwards as long as hops are trusted. A hop that is not an address stops the walk, and the last
// address read is the client: never an address that no trusted proxy vouched for.
SettledClient settle_client(const IpAddress& peer, const Headers& headers, const ForwardedRules& rules);

}  // namespace gatehouse
