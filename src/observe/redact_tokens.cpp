#include "observe/redact_tokens.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace gatehouse {
namespace {

constexpr char lower(char c) noexcept { return is_upper(c) ? static_cast<char>(c | 0x20) : c; }

int base64_value(char c) noexcept {
  if (is_upper(c)) return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

// Whether base64 text holds `user:password`: printable, with a colon.
bool holds_user_and_password(std::string_view text) noexcept {
  unsigned bits = 0;
  int count = 0;
  bool colon = false;
  for (const char c : text) {
    if (c == '=') break;
    const int value = base64_value(c);
    if (value < 0) return false;
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xFFFFFF;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    const unsigned byte = bits >> count & 0xFF;
    if (byte < 0x20 || byte == 0x7f) return false;
    colon = colon || byte == ':';
  }
  return colon;
}

bool ends_with_word(std::string_view text, std::string_view word) noexcept {
  if (text.size() < word.size()) return false;
  const std::string_view end = text.substr(text.size() - word.size());
  if (!std::equal(end.begin(), end.end(), word.begin(), [](char a, char b) { return lower(a) == b; })) return false;
  return text.size() == word.size() || !is_alnum(text[text.size() - word.size() - 1]);
}

struct Brand {
  std::uint32_t low, high;  // first six digits
  std::size_t digits;
};
// ISO/IEC 7812 ranges of the large networks.
constexpr Brand kBrands[] = {{400000, 499999, 16}, {510000, 559999, 16}, {222100, 272099, 16}, {340000, 349999, 15},
                             {370000, 379999, 15}, {601100, 601199, 16}, {644000, 659999, 16}, {622126, 622925, 16},
                             {624000, 626999, 16}, {628200, 628899, 16}, {352800, 358999, 16}, {300000, 305999, 14},
                             {309500, 309599, 14}, {360000, 369999, 14}, {380000, 399999, 14}};

bool is_card(std::string_view digits) noexcept {
  std::uint32_t first = 0;
  for (std::size_t i = 0; i < 6; ++i) first = first * 10 + static_cast<std::uint32_t>(digits[i] - '0');
  if (std::none_of(std::begin(kBrands), std::end(kBrands), [&](const Brand& brand) {
        return brand.digits == digits.size() && first >= brand.low && first <= brand.high;
      }))
    return false;
  unsigned sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    unsigned value = static_cast<unsigned>(digits[digits.size() - 1 - i] - '0');
    if (i % 2 == 1) value = value * 2 > 9 ? value * 2 - 9 : value * 2;
    sum += value;
  }
  return sum % 10 == 0;
}

}  // namespace

std::optional<TextSpan> find_scheme_credentials(std::string_view text, std::size_t at) noexcept {
  if (at < 6 || text[at - 1] != ' ') return {};
  const std::string_view before = text.substr(0, at - 1);
  const bool bearer = ends_with_word(before, "bearer");
  if (!bearer && !ends_with_word(before, "basic")) return {};
  std::size_t end = at;
  while (end < text.size() &&
         (is_token_char(text[end]) || text[end] == '.' || text[end] == '~' || text[end] == '+' || text[end] == '/'))
    ++end;
  if (end > at && text[end - 1] == '.') --end;
  const std::size_t body = end;
  while (end < text.size() && text[end] == '=' && end - body < 2) ++end;
  const std::string_view credentials = text.substr(at, end - at);
  // `Bearer authentication required`, `Bearer error_description=`: words, not credentials.
  const bool word =
      std::all_of(credentials.begin(), credentials.end(), [](char c) { return is_alpha(c) || c == '-' || c == '_'; }) &&
      credentials.size() < 24;
  if (bearer) return word || end - body == 1 ? std::optional<TextSpan>{} : TextSpan{at, end};
  return holds_user_and_password(credentials) ? TextSpan{at, end} : std::optional<TextSpan>{};
}

std::optional<TextSpan> find_private_key(std::string_view text, std::size_t at) noexcept {
  constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "-----END";
  constexpr std::size_t kLongestLabel = 64, kLongestKey = 65536;
  if (text.compare(at, kBegin.size(), kBegin) != 0) return {};
  const std::string_view label = text.substr(at + kBegin.size(), kLongestLabel);
  const std::size_t label_end = label.find("-----");
  if (label_end == std::string_view::npos) return {};
  const std::string_view words = label.substr(0, label_end);
  const auto in_label = [](char c) { return is_upper(c) || is_digit(c) || c == ' '; };
  if (!std::all_of(words.begin(), words.end(), in_label) || words.find("PRIVATE KEY") == std::string_view::npos)
    return {};
  const std::size_t begin = at + kBegin.size() + label_end + 5;
  // Only up to the next dashes: many beginnings without an end must not each search all that follows.
  const std::size_t dashes = text.substr(begin, kLongestKey).find("-----");
  if (dashes != std::string_view::npos && text.compare(begin + dashes, kEnd.size(), kEnd) == 0 &&
      text.substr(begin, dashes).find('"') == std::string_view::npos)
    return TextSpan{begin, begin + dashes};
  // Cut off: words of base64 are what is left of it, between line breaks, real or escaped ones.
  std::size_t stop = begin;
  for (std::size_t i = begin; i < text.size();) {
    if (text[i] == ' ' || text[i] == '\n' || text[i] == '\r') {
      ++i;
      continue;
    }
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 'n' || text[i + 1] == 'r' || text[i + 1] == '\\')) {
      i += text[i + 1] == '\\' ? 1 : 2;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && (is_alnum(text[end]) || text[end] == '+' || text[end] == '/' || text[end] == '='))
      ++end;
    const bool ends = end >= text.size() || std::string_view(" \r\n\\\"'").find(text[end]) != std::string_view::npos;
    if (end == i || !ends) break;
    stop = i = end;
  }
  return TextSpan{begin, stop};
}

std::optional<TextSpan> find_card(std::string_view text, std::size_t at) noexcept {
  constexpr std::size_t kLeast = 14, kMost = 16;
  while (at < text.size() && (is_digit(text[at]) || text[at] == ' ' || text[at] == '-')) {
    const bool starts =
        is_digit(text[at]) && (at == 0 || (!is_alnum(text[at - 1]) && text[at - 1] != '.' && text[at - 1] != '_'));
    if (!starts) {
      ++at;
      continue;
    }
    std::array<char, kMost + 1> digits{};
    std::size_t count = 0;
    char separator = 0;
    std::size_t end = at;
    for (std::size_t i = at; i < text.size() && count <= kMost; ++i) {
      if (is_digit(text[i])) {
        digits[count++] = text[i];
        end = i + 1;
        continue;
      }
      if ((text[i] != ' ' && text[i] != '-') || (separator && text[i] != separator) || i != end ||
          (count != 4 && count != 8 && count != 10 && count != 12))
        break;
      separator = text[i];
    }
    const bool ends = end >= text.size() || (!is_alnum(text[end]) && text[end] != '_');
    if (count >= kLeast && count <= kMost && ends && is_card({digits.data(), count})) return TextSpan{at, end};
    while (at < text.size() && is_digit(text[at])) ++at;
  }
  return {};
}

bool looks_random(std::string_view value) noexcept {
  constexpr std::size_t kLeast = 16, kMost = 512;
  if (value.size() < kLeast || value.size() > kMost) return false;
  std::uint64_t seen[2] = {0, 0};
  std::size_t numbers = 0, letters = 0, changes = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    if (c <= 0x20 || c >= 0x7f || c == ':' || c == '/' || c == '@' || c == '.') return false;
    seen[c / 64] |= std::uint64_t{1} << c % 64;
    numbers += is_digit(value[i]);
    letters += is_alpha(value[i]);
    changes += i > 0 && is_digit(value[i]) != is_digit(value[i - 1]);
  }
  const auto different = static_cast<std::size_t>(std::popcount(seen[0]) + std::popcount(seen[1]));
  return numbers >= 2 && letters >= 2 && changes >= 4 && different >= 8;
}

}  // namespace gatehouse
