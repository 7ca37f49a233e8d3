#include "http/proxy_protocol.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace gatehouse {
namespace {

constexpr std::string_view kSignatureV2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kFixedV2 = 16;
constexpr std::string_view kSignatureV1 = "PROXY ";
constexpr std::size_t kLongestV1 = 107;
constexpr std::size_t kShortestV1 = std::string_view("PROXY UNKNOWN\r\n").size();

constexpr std::uint8_t kTlvCrc32c = 0x03;
constexpr std::uint8_t kTlvSsl = 0x20;
constexpr std::uint8_t kClientSsl = 0x01;

std::uint8_t byte_at(std::string_view bytes, std::size_t at) noexcept { return static_cast<std::uint8_t>(bytes[at]); }

unsigned number_at(std::string_view bytes, std::size_t at) noexcept {
  return static_cast<unsigned>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (error != std::errc{} || end != text.data() + text.size() || leading_zero) return {};
  return port;
}

// The text up to the next single space, which is dropped with it; without a space all of it.
std::string_view take_word(std::string_view& rest) noexcept {
  const auto space = std::min(rest.find(' '), rest.size());
  const auto word = rest.substr(0, space);
  rest.remove_prefix(std::min(space + 1, rest.size()));
  return word;
}

result<ProxyHeader> parse_line(std::string_view line) noexcept {
  const auto malformed = make_error_code(errc::malformed);
  auto rest = line.substr(kSignatureV1.size());
  const bool trailing_space = rest.ends_with(' ');
  const auto family = take_word(rest);
  if (family == "UNKNOWN") return ProxyHeader{};
  if ((family != "TCP4" && family != "TCP6") || trailing_space) return malformed;
  const auto source_text = take_word(rest);
  const auto destination_text = take_word(rest);
  const auto source_port = parse_port(take_word(rest));
  const auto destination_port = parse_port(take_word(rest));
  const auto source = parse_address(source_text);
  const auto destination = parse_address(destination_text);
  if (!source || !destination || !source_port || !destination_port || !rest.empty()) return malformed;
  const auto of_family = [v6 = family == "TCP6"](std::string_view text) {
    return (text.find(':') != std::string_view::npos) == v6;
  };
  if (!of_family(source_text) || !of_family(destination_text)) return malformed;
  return ProxyHeader{ProxyHeader::Endpoints{*source, *destination, *source_port, *destination_port}, std::nullopt};
}

result<ProxyHeaderStep> parse_v1(std::string_view bytes) noexcept {
  const auto known = bytes.substr(0, kSignatureV1.size());
  if (!kSignatureV1.starts_with(known)) return make_error_code(errc::malformed);
  const auto end = bytes.substr(0, kLongestV1).find('\n');
  if (end == std::string_view::npos) {
    if (bytes.size() >= kLongestV1) return make_error_code(errc::malformed);
    const std::size_t missing = bytes.ends_with('\r') ? 1 : 2;
    return ProxyHeaderStep{std::max(kShortestV1, bytes.size() + missing), std::nullopt};
  }
  // A carriage return anywhere else would be a second reading of where the line ends.
  if (end < kSignatureV1.size() || bytes.substr(0, end).find('\r') != end - 1) return make_error_code(errc::malformed);
  const auto header = parse_line(bytes.substr(0, end - 1));
  if (!header) return header.error();
  return ProxyHeaderStep{end + 1, *header};
}

IpAddress address_at(std::string_view bytes, std::size_t at, bool v4) noexcept {
  IpAddress address = IpAddress::v4(0);
  const std::size_t size = v4 ? 4 : 16;
  std::memcpy(address.bytes.data() + 16 - size, bytes.data() + at, size);
  return address;
}

std::uint32_t crc32c(std::string_view bytes, std::size_t zeroed_at) noexcept {
  std::uint32_t crc = 0xffffffff;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i < zeroed_at || i >= zeroed_at + 4) crc ^= byte_at(bytes, i);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78U : 0U);
  }
  return ~crc;
}

// Reads the records behind the addresses. False where they break out of the header or the checksum is wrong.
bool read_records(std::string_view header, std::size_t at, ProxyHeader& read) noexcept {
  while (at < header.size()) {
    if (header.size() - at < 3) return false;
    const auto type = byte_at(header, at);
    const std::size_t size = number_at(header, at + 1);
    at += 3;
    if (header.size() - at < size) return false;
    if (type == kTlvCrc32c) {
      if (size != 4) return false;
      const auto told = static_cast<std::uint32_t>(number_at(header, at)) << 16 | number_at(header, at + 2);
      if (told != crc32c(header, at)) return false;
    } else if (type == kTlvSsl) {
      if (size < 5) return false;
      read.client_tls = (byte_at(header, at) & kClientSsl) != 0;
    }
    at += size;
  }
  return true;
}

result<ProxyHeaderStep> parse_v2(std::string_view bytes) noexcept {
  const auto malformed = make_error_code(errc::malformed);
  if (!kSignatureV2.starts_with(bytes.substr(0, kSignatureV2.size()))) return malformed;
  if (bytes.size() < kFixedV2) return ProxyHeaderStep{kFixedV2, std::nullopt};
  const auto command = byte_at(bytes, 12);
  if (command != 0x20 && command != 0x21) return malformed;
  const std::size_t length = kFixedV2 + number_at(bytes, 14);
  if (length > kMaxProxyHeader) return make_error_code(errc::too_large);
  if (bytes.size() < length) return ProxyHeaderStep{length, std::nullopt};

  ProxyHeaderStep step{length, ProxyHeader{}};
  // LOCAL: whatever follows is skipped unread (section 2.2).
  if (command == 0x20) return step;
  const auto header = bytes.substr(0, length);
  const auto family = byte_at(bytes, 13);
  const unsigned protocol = family & 0x0f;
  if (family >> 4 > 3 || protocol > 2) return malformed;
  const std::size_t address_size[] = {0, 4, 16, 108};
  const bool has_ports = family >> 4 == 1 || family >> 4 == 2;
  const std::size_t addresses = 2 * address_size[family >> 4] + (has_ports ? 4 : 0);
  if (length - kFixedV2 < addresses) return malformed;
  if (has_ports && protocol == 1) {
    const bool v4 = family >> 4 == 1;
    const std::size_t size = v4 ? 4 : 16;
    ProxyHeader::Endpoints endpoints;
    endpoints.source = address_at(header, kFixedV2, v4);
    endpoints.destination = address_at(header, kFixedV2 + size, v4);
    endpoints.source_port = static_cast<std::uint16_t>(number_at(header, kFixedV2 + 2 * size));
    endpoints.destination_port = static_cast<std::uint16_t>(number_at(header, kFixedV2 + 2 * size + 2));
    step.header->endpoints = endpoints;
  }
  if (!read_records(header, kFixedV2 + addresses, *step.header)) return malformed;
  return step;
}

}  // namespace

result<ProxyHeaderStep> parse_proxy_header(std::string_view bytes) noexcept {
  if (bytes.empty()) return ProxyHeaderStep{kShortestV1, std::nullopt};
  return bytes.front() == kSignatureV2.front() ? parse_v2(bytes) : parse_v1(bytes);
}

}  // namespace gatehouse
