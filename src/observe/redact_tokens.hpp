// Secrets that show by their shape: credentials behind a scheme, private keys, payment cards, what looks random; keys with a
// known prefix are in redact_provider_keys.hpp. Pure functions over a text and a place in it; linear in the length of what they find.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace gatehouse {

struct TextSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Letters, digits, `_` and `-`: what tokens are made of.
inline constexpr auto kTokenChars = [] {
  std::array<bool, 256> is{};
  for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"))
    is[static_cast<unsigned char>(c)] = true;
  return is;
}();
constexpr bool is_token_char(char c) noexcept { return kTokenChars[static_cast<unsigned char>(c)]; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_alnum(char c) noexcept { return is_alpha(c) || is_digit(c); }

// The credentials behind `Bearer ` or `Basic ` when `at` is where they would begin.
std::optional<TextSpan> find_scheme_credentials(std::string_view text, std::size_t at) noexcept;

// The body of the private key whose `-----BEGIN` starts at `at`; ends at `-----END`, or where base64 ends.
std::optional<TextSpan> find_private_key(std::string_view text, std::size_t at) noexcept;

// The first payment card number in the run of digits, spaces and dashes that begins at `at`.
std::optional<TextSpan> find_card(std::string_view text, std::size_t at) noexcept;

// Whether a value looks made by a machine to be secret: long, and letters and digits well mixed.
bool looks_random(std::string_view value) noexcept;

}  // namespace gatehouse
