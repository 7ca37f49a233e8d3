// IP addresses and networks as values. An address is 16 bytes; IPv4 lives in ::ffff:0:0/96, so the two ways to write
// one IPv4 address are one value. Nothing here resolves names, opens sockets or allocates on the request path.
// Immutable: any thread may read.
#pragma once

#include <gatehouse/message.hpp>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  // 192.0.2.1 is v4(0xc0000201).
  static constexpr IpAddress v4(std::uint32_t host_order) noexcept {
    IpAddress address;
    address.bytes[10] = address.bytes[11] = 0xff;
    for (unsigned i = 0; i < 4; ++i) address.bytes[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    return address;
  }
  bool is_v4() const noexcept;
  auto operator<=>(const IpAddress&) const = default;
};

// Strict: four decimal octets without leading zeros, or RFC 4291 section 2.2; no zone, port, brackets or white space.
result<IpAddress> parse_address(std::string_view text) noexcept;

// An address as proxies write it: bare, with a port, in brackets, in double quotes (RFC 7239 section 6). `unknown`
// and obfuscated names are malformed: they say nothing.
struct AddressAndPort {
  IpAddress address;
  std::optional<std::uint16_t> port;
};
result<AddressAndPort> parse_address_and_port(std::string_view text) noexcept;

// Room for the longest address as text.
inline constexpr std::size_t kAddressTextSize = 39;
// RFC 5952; IPv4 as dotted decimals. The view is a part of `room`.
std::string_view format_address(const IpAddress& address, std::span<char, kAddressTextSize> room) noexcept;
std::string_view format_address(const IpAddress& address, Arena& arena);
std::string format_address(const IpAddress& address);

// The IPv4 host behind an IPv6 address that only carries it: NAT64 (64:ff9b::/96), 6to4 (2002::/16) and Teredo
// (2001::/32); any other address unchanged. For counting clients only. Never for trust or exemptions: the embedded part
// is the sender's choice on some paths.
IpAddress unwrap_embedded_v4(const IpAddress& address) noexcept;

// Loopback, private use, shared (RFC 6598), link-local, unique-local: nothing that a client on the internet has.
bool is_private(const IpAddress& address) noexcept;

// The address with all bits behind the prefix cleared; `v4_prefix` (at most 32) counts for IPv4, `v6_prefix` else.
IpAddress network_of(const IpAddress& address, unsigned v4_prefix, unsigned v6_prefix) noexcept;

struct Cidr {
  IpAddress network;
  std::uint8_t prefix = 128;  // of the 16 bytes: 10.0.0.0/8 has 104

  // A network of one family never holds an address of the other: ::/0 is all of IPv6.
  bool contains(const IpAddress& address) const noexcept;
};

// `10.0.0.0/8`, `2001:db8::/32`, or an address alone. Host bits behind the prefix are errc::invalid_argument
// (10.0.0.7/8 may mean one host or sixteen million), anything else wrong errc::malformed.
result<Cidr> parse_cidr(std::string_view text) noexcept;
std::string format_cidr(const Cidr& cidr);

// Many networks; asking costs the logarithm of their number.
class CidrSet {
 public:
  CidrSet() = default;
  explicit CidrSet(std::span<const Cidr> networks);

  bool contains(const IpAddress& address) const noexcept;
  bool empty() const noexcept { return v4_.empty() && v6_.empty(); }

 private:
  struct Range {
    IpAddress first;
    IpAddress last;
  };
  using Ranges = std::vector<Range>;  // sorted, apart from each other
  static void settle(Ranges& ranges);

  Ranges v4_;
  Ranges v6_;
};

}  // namespace gatehouse
