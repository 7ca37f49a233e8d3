#include "http/address.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace gatehouse {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<std::uint8_t, 12> kNat64 = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A decimal number without sign or leading zeros, the whole of `text`: `010` is octal to some readers and ten to
// others.
std::optional<unsigned> parse_decimal(std::string_view text, unsigned most) noexcept {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return {};
  unsigned value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return {};
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > most) return {};
  return value;
}

bool parse_v4(std::string_view text, std::uint8_t* to) noexcept {
  for (int i = 0; i < 4; ++i) {
    const auto dot = text.find('.');
    if ((dot == std::string_view::npos) != (i == 3)) return false;
    const auto octet = parse_decimal(text.substr(0, dot), 255);
    if (!octet) return false;
    to[i] = static_cast<std::uint8_t>(*octet);
    text.remove_prefix(i == 3 ? text.size() : dot + 1);
  }
  return true;
}

// Reads the groups of an IPv6 address and where, if anywhere, `::` stood among them.
bool parse_v6(std::string_view text, std::uint8_t* to) noexcept {
  std::uint8_t read[16];
  std::size_t size = 0;
  std::optional<std::size_t> gap;
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const auto group = text.substr(0, text.find(':'));
    if (group.find('.') != std::string_view::npos) {
      if (group.size() != text.size() || size > 12 || !parse_v4(group, read + size)) return false;
      size += 4;
      break;
    }
    if (group.empty() || group.size() > 4 || size > 14) return false;
    unsigned value = 0;
    for (const char c : group) {
      const int digit = hex_value(c);
      if (digit < 0) return false;
      value = value * 16 + static_cast<unsigned>(digit);
    }
    read[size++] = static_cast<std::uint8_t>(value >> 8);
    read[size++] = static_cast<std::uint8_t>(value);
    text.remove_prefix(group.size());
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.starts_with(':')) {
      if (gap) return false;
      gap = size;
      text.remove_prefix(1);
    } else if (text.empty()) {
      return false;
    }
  }
  if (!gap) {
    if (size != 16) return false;
    std::memcpy(to, read, 16);
    return true;
  }
  // `::` stands for at least one group (RFC 5952 section 4.2.2 calls two the sensible least; readers take one).
  if (size > 14) return false;
  std::memset(to, 0, 16);
  std::memcpy(to, read, *gap);
  std::memcpy(to + 16 - (size - *gap), read + *gap, size - *gap);
  return true;
}

unsigned effective_prefix(bool v4, unsigned prefix) noexcept {
  return v4 ? 96 + std::min(prefix, 32U) : std::min(prefix, 128U);
}

std::uint8_t mask_byte(unsigned prefix, unsigned index) noexcept {
  if (prefix >= 8 * (index + 1)) return 0xff;
  if (prefix <= 8 * index) return 0;
  return static_cast<std::uint8_t>(0xff00U >> (prefix - 8 * index));
}

IpAddress last_of(const Cidr& cidr) noexcept {
  IpAddress last = cidr.network;
  for (unsigned i = 0; i < 16; ++i) last.bytes[i] |= static_cast<std::uint8_t>(~mask_byte(cidr.prefix, i));
  return last;
}

constexpr Cidr v4_network(std::uint32_t network, unsigned prefix) noexcept {
  return {IpAddress::v4(network), static_cast<std::uint8_t>(96 + prefix)};
}

IpAddress mapped(const std::uint8_t* v4, std::uint8_t flip = 0) noexcept {
  IpAddress address;
  std::copy(kMapped.begin(), kMapped.end(), address.bytes.begin());
  for (unsigned i = 0; i < 4; ++i) address.bytes[12 + i] = static_cast<std::uint8_t>(v4[i] ^ flip);
  return address;
}

}  // namespace

bool IpAddress::is_v4() const noexcept { return std::memcmp(bytes.data(), kMapped.data(), kMapped.size()) == 0; }

result<IpAddress> parse_address(std::string_view text) noexcept {
  IpAddress address;
  if (text.size() > 45) return make_error_code(errc::malformed);
  if (text.find(':') != std::string_view::npos) {
    if (!parse_v6(text, address.bytes.data())) return make_error_code(errc::malformed);
    return address;
  }
  std::uint8_t v4[4];
  if (!parse_v4(text, v4)) return make_error_code(errc::malformed);
  return mapped(v4);
}

result<AddressAndPort> parse_address_and_port(std::string_view text) noexcept {
  const auto malformed = make_error_code(errc::malformed);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return malformed;
    auto rest = text.substr(close + 1);
    text = text.substr(1, close - 1);
    // Brackets are for IPv6 (RFC 3986 section 3.2.2).
    if (text.find(':') == std::string_view::npos || (!rest.empty() && rest.front() != ':')) return malformed;
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else if (const auto colon = text.find(':');
             colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    has_port = true;
    port = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  const auto address = parse_address(text);
  if (!address) return malformed;
  AddressAndPort parsed{*address, std::nullopt};
  if (has_port) {
    const auto number = parse_decimal(port, 65535);
    if (!number) return malformed;
    parsed.port = static_cast<std::uint16_t>(*number);
  }
  return parsed;
}

std::string_view format_address(const IpAddress& address, std::span<char, kAddressTextSize> room) noexcept {
  char* const begin = room.data();
  char* const end = begin + room.size();
  char* at = begin;
  const auto& bytes = address.bytes;
  if (address.is_v4()) {
    for (unsigned i = 12; i < 16; ++i) {
      if (i > 12) *at++ = '.';
      at = std::to_chars(at, end, bytes[i]).ptr;
    }
    return {begin, at};
  }
  std::array<unsigned, 8> groups;
  for (unsigned i = 0; i < 8; ++i) groups[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  // The longest run of zero groups, the first of equals, becomes `::`; a single zero does not (RFC 5952 section 4.2).
  unsigned gap = 8;
  unsigned gap_size = 1;
  for (unsigned i = 0; i < 8; ++i) {
    unsigned run = 0;
    while (i + run < 8 && groups[i + run] == 0) ++run;
    if (run > gap_size) {
      gap = i;
      gap_size = run;
    }
    i += run;
  }
  for (unsigned i = 0; i < 8; ++i) {
    if (i == gap) {
      *at++ = ':';
      *at++ = ':';
      i += gap_size - 1;
      continue;
    }
    if (i > 0 && at[-1] != ':') *at++ = ':';
    at = std::to_chars(at, end, groups[i], 16).ptr;
  }
  return {begin, at};
}

std::string_view format_address(const IpAddress& address, Arena& arena) {
  char room[kAddressTextSize];
  return arena.copy(format_address(address, room));
}

std::string format_address(const IpAddress& address) {
  char room[kAddressTextSize];
  return std::string(format_address(address, room));
}

IpAddress unwrap_embedded_v4(const IpAddress& address) noexcept {
  const auto* bytes = address.bytes.data();
  if (std::memcmp(bytes, kNat64.data(), kNat64.size()) == 0) return mapped(bytes + 12);
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return mapped(bytes + 2);
  // Teredo hides the client's address from rewriting NATs by inverting it (RFC 4380 section 4).
  if (bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0 && bytes[3] == 0) return mapped(bytes + 12, 0xff);
  return address;
}

bool is_private(const IpAddress& address) noexcept {
  constexpr Cidr kV4[] = {v4_network(0x7f000000, 8),  v4_network(0x0a000000, 8),  v4_network(0xac100000, 12),
                          v4_network(0xc0a80000, 16), v4_network(0x64400000, 10), v4_network(0xa9fe0000, 16)};
  if (address.is_v4())
    return std::any_of(std::begin(kV4), std::end(kV4), [&](const Cidr& cidr) { return cidr.contains(address); });
  const auto& bytes = address.bytes;
  const bool unique_local = (bytes[0] & 0xfe) == 0xfc;
  const bool link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  const bool loopback =
      std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t byte) { return byte == 0; }) && bytes.back() == 1;
  return unique_local || link_local || loopback;
}

IpAddress network_of(const IpAddress& address, unsigned v4_prefix, unsigned v6_prefix) noexcept {
  const bool v4 = address.is_v4();
  const unsigned prefix = effective_prefix(v4, v4 ? v4_prefix : v6_prefix);
  IpAddress network = address;
  for (unsigned i = prefix / 8; i < 16; ++i) network.bytes[i] &= mask_byte(prefix, i);
  return network;
}

bool Cidr::contains(const IpAddress& address) const noexcept {
  if (address.is_v4() != network.is_v4()) return false;
  const unsigned whole = prefix / 8;
  if (std::memcmp(address.bytes.data(), network.bytes.data(), whole) != 0) return false;
  return whole == 16 || ((address.bytes[whole] ^ network.bytes[whole]) & mask_byte(prefix, whole)) == 0;
}

result<Cidr> parse_cidr(std::string_view text) noexcept {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return address.error();
  if (slash == std::string_view::npos) return Cidr{*address, 128};
  // `::ffff:10.0.0.0/104` is written in IPv6's terms.
  const bool v4_terms = text.substr(0, slash).find(':') == std::string_view::npos;
  const auto bits = parse_decimal(text.substr(slash + 1), v4_terms ? 32 : 128);
  if (!bits) return make_error_code(errc::malformed);
  const unsigned prefix = v4_terms ? 96 + *bits : *bits;
  IpAddress network = *address;
  for (unsigned i = 0; i < 16; ++i) network.bytes[i] &= mask_byte(prefix, i);
  if (network != *address) return make_error_code(errc::invalid_argument);
  return Cidr{network, static_cast<std::uint8_t>(prefix)};
}

std::string format_cidr(const Cidr& cidr) {
  const unsigned prefix = cidr.network.is_v4() ? cidr.prefix - 96U : cidr.prefix;
  return format_address(cidr.network) + '/' + std::to_string(prefix);
}

CidrSet::CidrSet(std::span<const Cidr> networks) {
  for (const Cidr& cidr : networks) {
    auto& ranges = cidr.network.is_v4() ? v4_ : v6_;
    ranges.push_back({cidr.network, last_of(cidr)});
  }
  settle(v4_);
  settle(v6_);
}

void CidrSet::settle(Ranges& ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  Ranges merged;
  for (const Range& range : ranges) {
    if (!merged.empty() && range.first <= merged.back().last)
      merged.back().last = std::max(merged.back().last, range.last);
    else
      merged.push_back(range);
  }
  ranges = std::move(merged);
}

bool CidrSet::contains(const IpAddress& address) const noexcept {
  const auto& ranges = address.is_v4() ? v4_ : v6_;
  const auto above = std::upper_bound(ranges.begin(), ranges.end(), address,
                                      [](const IpAddress& wanted, const Range& range) { return wanted < range.first; });
  return above != ranges.begin() && address <= std::prev(above)->last;
}

}  // namespace gatehouse
