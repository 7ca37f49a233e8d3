// Addresses as users write them. No name is looked up here.
#pragma once

#include "config/config.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

// An address, or why the text is none, as the end of a sentence.
struct ParsedAddress {
  Address address;
  std::optional<std::string> problem;
};

// `0.0.0.0:8080`, `[::]:8080`, `unix:/run/gatehouse.sock`.
ParsedAddress parse_listen_address(std::string_view text);
// `http://127.0.0.1:8000`, `http://app:8000`, `http://[::1]:8000`, `unix:/run/app.sock`.
ParsedAddress parse_upstream_url(std::string_view text);
// Both would take the same connections: equal, or one of them is every address on the other's port.
bool overlap(const Address& a, const Address& b);

enum class IpFamily { kNone, kV4, kV6 };
IpFamily ip_family(std::string_view text);
// Letters, digits, hyphens and dots, as in a host name (RFC 1123 2.1); underscores, which container names have, pass.
bool is_host_name(std::string_view text);
// Why `text` is no network such as 10.0.0.0/8 or single address, or nothing.
std::optional<std::string> network_problem(std::string_view text);

extern const TextFormat kListenAddressFormat;
extern const TextFormat kUpstreamUrlFormat;

}  // namespace gatehouse
