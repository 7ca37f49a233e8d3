// The PROXY protocol, versions 1 and 2: the first bytes of a connection on which a load balancer tells whom it speaks
// for. Bytes in, decision out. Believing the header is the listener's decision: only where `proxy_protocol` is set, and
// then a connection without a valid header is closed (a listener that accepts both lets anybody choose its address).
#pragma once

#include "http/address.hpp"

namespace gatehouse {

struct ProxyHeader {
  // Absent: the balancer speaks for itself (a health check), or for something without an IP address. The peer counts.
  struct Endpoints {
    IpAddress source;
    IpAddress destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
  };
  std::optional<Endpoints> endpoints;
  // Version 2 may tell whether the client used TLS.
  std::optional<bool> client_tls;
};

struct ProxyHeaderStep {
  // The header's length once it is complete; before that, the length it has at least. Reading exactly up to here never
  // takes a byte that belongs to TLS or HTTP.
  std::size_t length = 0;
  std::optional<ProxyHeader> header;
};

// Longest header accepted: version 1 has at most 107 bytes, version 2 rarely more than 300 (with TLS details).
inline constexpr std::size_t kMaxProxyHeader = 2048;

// Judges the first bytes of a connection, from the first on. errc::malformed as soon as they cannot become a header,
// errc::too_large for a version 2 header that announces more than kMaxProxyHeader.
result<ProxyHeaderStep> parse_proxy_header(std::string_view bytes) noexcept;

}  // namespace gatehouse
