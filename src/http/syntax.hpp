// Character classes of RFC 9110 and 9112, as table look-ups, and the small parsers that use them alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace gatehouse::http {

enum CharClass : std::uint8_t {
  kToken = 1,      // tchar (RFC 9110 5.6.2)
  kFieldByte = 2,  // what a field value may hold: HTAB, SP, VCHAR, obs-text (5.5)
  kVisible = 4,    // VCHAR: printable ASCII without the space
  kHexDigit = 8,
};

inline constexpr auto kCharClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool visible = c > 0x20 && c < 0x7f;
    if (digit || alpha) classes[c] |= kToken;
    if (digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) classes[c] |= kHexDigit;
    if (visible) classes[c] |= kVisible;
    if (visible || c == ' ' || c == '\t' || c >= 0x80) classes[c] |= kFieldByte;
  }
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) classes[static_cast<unsigned char>(c)] |= kToken;
  return classes;
}();

constexpr bool is(CharClass what, char c) noexcept { return (kCharClasses[static_cast<unsigned char>(c)] & what) != 0; }

constexpr bool all(CharClass what, std::string_view text) noexcept {
  for (const char c : text)
    if (!is(what, c)) return false;
  return true;
}

// How many bytes at the beginning of `text` are field bytes.
inline std::size_t field_bytes(std::string_view text) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  std::size_t at = 0;
  // Eight at once while none of them can be a control byte or DEL: a borrow may flag one that is neither, never the other way round.
  for (std::uint64_t bytes = 0; at + sizeof bytes <= text.size(); at += sizeof bytes) {
    std::memcpy(&bytes, text.data() + at, sizeof bytes);
    const std::uint64_t from_del = bytes ^ kOnes * 0x7f;
    if ((((bytes - kOnes * 0x20) & ~bytes) | ((from_del - kOnes) & ~from_del)) & kHighs) break;
  }
  while (at < text.size() && is(kFieldByte, text[at])) ++at;
  return at;
}

constexpr bool is_token(std::string_view text) noexcept { return !text.empty() && all(kToken, text); }

// Without the optional white space (SP and HTAB, nothing else) at both ends.
constexpr std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

constexpr unsigned hex_value(char c) noexcept {
  if (c <= '9') return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>((c | 0x20) - 'a' + 10);
}

// Decimal digits only, no sign, no overflow.
constexpr std::optional<std::uint64_t> parse_decimal(std::string_view text) noexcept {
  if (text.empty() || text.size() > 19) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// Calls `visit(element)` for each element of a comma-separated list (RFC 9110 5.6.1), trimmed, empty ones left out,
// until it returns false. True when every call returned true.
template <class Visit>
constexpr bool for_each_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const auto element = trim(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    if (!element.empty() && !visit(element)) return false;
  }
  return true;
}

}  // namespace gatehouse::http
