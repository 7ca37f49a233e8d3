#include "observe/json_writer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace gatehouse {
namespace {

constexpr std::size_t kFirstRoom = 1024;
constexpr std::size_t kKeyLimit = 128;
// What one step of escaping may write: a block of 16, or one escaped code point.
constexpr std::size_t kStep = 32;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr char kHex[] = "0123456789abcdef";

#ifndef __SSE2__
// Printable ASCII apart from the two that JSON escapes.
constexpr bool plain(unsigned char c) noexcept { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// How many of the 8 bytes at `in` are plain, counted from the first.
std::size_t plain_prefix8(const char* in) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
  std::uint64_t v = 0;
  std::memcpy(&v, in, 8);
  // The lowest flagged byte is exact; a borrow can only flag a byte above it.
  const auto zero = [](std::uint64_t x) { return (x - ones) & ~x & highs; };
  const std::uint64_t special = (v & highs) | zero(v ^ ones * '"') | zero(v ^ ones * '\\') | zero(v ^ ones * 0x7f) |
                                ((v - ones * 0x20) & ~v & highs);
  return special == 0 ? 8 : static_cast<std::size_t>(std::countr_zero(special)) / 8;
}

#else
std::size_t plain_prefix16(__m128i v) noexcept {
  // Signed: bytes from 0x80 up are negative, so one comparison finds them together with the control characters.
  const __m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
  const __m128i others =
      _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))),
                   _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
  const auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, others)));
  return mask == 0 ? 16 : static_cast<std::size_t>(std::countr_zero(mask));
}
#endif

struct CodePoint {
  std::uint32_t value;
  std::size_t size;  // 0: the bytes are not UTF-8
};

// Strict: no overlong forms, no surrogates, nothing above U+10FFFF (Unicode 3.9, table 3-7).
CodePoint decode(const unsigned char* in, std::size_t size) noexcept {
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < size && in[i] >= low && in[i] <= high;
  };
  const std::uint32_t a = in[0];
  if (a >= 0xC2 && a <= 0xDF && follows(1)) return {(a & 0x1Fu) << 6 | (in[1] & 0x3Fu), 2};
  if (a >= 0xE0 && a <= 0xEF && follows(1, a == 0xE0 ? 0xA0 : 0x80, a == 0xED ? 0x9F : 0xBF) && follows(2))
    return {(a & 0xFu) << 12 | (in[1] & 0x3Fu) << 6 | (in[2] & 0x3Fu), 3};
  if (a >= 0xF0 && a <= 0xF4 && follows(1, a == 0xF0 ? 0x90 : 0x80, a == 0xF4 ? 0x8F : 0xBF) && follows(2) &&
      follows(3))
    return {(a & 7u) << 18 | (in[1] & 0x3Fu) << 12 | (in[2] & 0x3Fu) << 6 | (in[3] & 0x3Fu), 4};
  return {0, 0};
}

// Code points that end a line or steer a terminal or an editor: C1 controls, line separators, direction overrides.
constexpr bool steers(std::uint32_t c) noexcept {
  return (c >= 0x80 && c <= 0x9F) || (c >= 0x200E && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

char* write_u(char* to, std::uint32_t c) noexcept {
  *to++ = '\\';
  *to++ = 'u';
  for (int shift = 12; shift >= 0; shift -= 4) *to++ = kHex[c >> shift & 0xF];
  return to;
}

char* write_text(char* to, std::string_view text) noexcept {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

// One byte or code point that cannot be copied as it is.
char* write_special(char* to, const char*& in, const char* end) noexcept {
  const auto c = static_cast<unsigned char>(*in);
  if (c < 0x80) {
    ++in;
    switch (c) {
      case '"':
        return write_text(to, "\\\"");
      case '\\':
        return write_text(to, "\\\\");
      case '\n':
        return write_text(to, "\\n");
      case '\r':
        return write_text(to, "\\r");
      case '\t':
        return write_text(to, "\\t");
      default:
        return write_u(to, c);
    }
  }
  const CodePoint point = decode(reinterpret_cast<const unsigned char*>(in), static_cast<std::size_t>(end - in));
  if (point.size == 0) {
    ++in;
    return write_text(to, kReplacement);
  }
  const char* from = in;
  in += point.size;
  return steers(point.value) ? write_u(to, point.value) : write_text(to, {from, point.size});
}

#ifdef __SSE2__
// Fewer than 16 bytes, followed by plain ones.
__m128i load_tail(const char* in, std::size_t size) noexcept {
  alignas(16) char bytes[16];
  std::memset(bytes, 'x', sizeof bytes);
  if (size >= 8) {
    std::memcpy(bytes, in, 8);
    std::memcpy(bytes + size - 8, in + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(bytes, in, 4);
    std::memcpy(bytes + size - 4, in + size - 4, 4);
  } else {
    for (std::size_t i = 0; i < size; ++i) bytes[i] = in[i];
  }
  return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
}
#endif

// One step of escaping: writes at most kStep bytes at `to` and moves `in` on.
char* escape_step(char* to, const char*& in, const char* end) noexcept {
#ifdef __SSE2__
  const auto size = static_cast<std::size_t>(end - in);
  const __m128i block = size >= 16 ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(in)) : load_tail(in, size);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), block);
  const std::size_t clean = std::min(plain_prefix16(block), size);
  to += clean;
  in += clean;
  return clean == 16 || in == end ? to : write_special(to, in, end);
#else
  if (std::endian::native == std::endian::little && end - in >= 8) {
    std::memcpy(to, in, 8);
    const std::size_t clean = plain_prefix8(in);
    to += clean;
    in += clean;
    return clean == 8 ? to : write_special(to, in, end);
  }
  for (int i = 0; i < 8 && in != end; ++i) {
    if (!plain(static_cast<unsigned char>(*in))) return write_special(to, in, end);
    *to++ = *in++;
  }
  return to;
#endif
}

// Where to cut so that no code point is torn; bytes that are not UTF-8 may be cut anywhere.
std::size_t cut_position(std::string_view value, std::size_t limit) noexcept {
  for (std::size_t back = 1; back <= 3 && back <= limit; ++back) {
    const auto* lead = reinterpret_cast<const unsigned char*>(value.data()) + limit - back;
    if (*lead < 0x80) break;
    if (*lead < 0xC0) continue;
    if (decode(lead, value.size() - (limit - back)).size > back) return limit - back;
    break;
  }
  return limit;
}

std::string cut_mark(std::size_t bytes) { return "…[" + std::to_string(bytes) + " bytes cut]"; }

constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

// Two digits of a value below 100.
char* write_pair(char* to, unsigned value) noexcept {
  std::memcpy(to, &kPairs[2 * value], 2);
  return to + 2;
}

}  // namespace

char* write_rfc3339(char* to, std::chrono::system_clock::time_point time) noexcept {
  using namespace std::chrono;
  constexpr sys_time<milliseconds> first = sys_days{year{0} / 1 / 1};
  constexpr sys_time<milliseconds> last = sys_days{year{10000} / 1 / 1} - milliseconds{1};
  auto at = floor<milliseconds>(time);
  if (at < first) at = first;
  if (at > last) at = last;
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const auto clock = static_cast<unsigned>((at - day).count());
  const auto year_number = static_cast<unsigned>(static_cast<int>(date.year()));
  to = write_pair(write_pair(to, year_number / 100), year_number % 100);
  *to++ = '-';
  to = write_pair(to, static_cast<unsigned>(date.month()));
  *to++ = '-';
  to = write_pair(to, static_cast<unsigned>(date.day()));
  *to++ = 'T';
  to = write_pair(to, clock / 3600000);
  *to++ = ':';
  to = write_pair(to, clock / 60000 % 60);
  *to++ = ':';
  to = write_pair(to, clock / 1000 % 60);
  *to++ = '.';
  to = write_pair(to, clock % 1000 / 10);
  *to++ = static_cast<char>('0' + clock % 10);
  *to++ = 'Z';
  return to;
}

char* write_seconds(char* to, std::chrono::nanoseconds value) noexcept {
  const auto micros = static_cast<std::uint64_t>(value.count() < 0 ? 0 : value.count()) / 1000;
  to = std::to_chars(to, to + 24, micros / 1000000).ptr;
  *to++ = '.';
  const auto rest = static_cast<unsigned>(micros % 1000000);
  return write_pair(write_pair(write_pair(to, rest / 10000), rest / 100 % 100), rest % 100);
}

void append_escaped(std::string& out, std::string_view value, std::size_t limit) {
  const std::size_t kept = value.size() <= limit ? value.size() : cut_position(value, limit);
  const char* in = value.data();
  const char* const end = in + kept;
  std::size_t used = out.size();
  while (in != end) {
    if (out.size() - used < kStep) out.resize(used + static_cast<std::size_t>(end - in) + kStep * 2);
    char* const to = out.data() + used;
    used += static_cast<std::size_t>(escape_step(to, in, end) - to);
  }
  out.resize(used);
  if (kept != value.size()) out += cut_mark(value.size() - kept);
}

JsonWriter::JsonWriter(std::string& out) : out_(out), start_(out.size()) {
  out_.resize(start_ + kFirstRoom);
  at_ = out_.data() + start_;
  end_ = out_.data() + out_.size();
  *at_++ = '{';
}

JsonWriter::~JsonWriter() {
  if (depth_ != 0) out_.resize(start_);
}

void JsonWriter::grow(std::size_t room) {
  const auto used = static_cast<std::size_t>(at_ - out_.data());
  out_.resize(out_.size() + room + kFirstRoom);
  at_ = out_.data() + used;
  end_ = out_.data() + out_.size();
}

void JsonWriter::key_entry(std::string_view key) {
  need(4);
  if (!first_) *at_++ = ',';
  first_ = false;
  *at_++ = '"';
  escaped(key, kKeyLimit);
  need(2);
  at_ = write_text(at_, "\":");
}

void JsonWriter::escaped(std::string_view value, std::size_t limit) {
  const std::size_t kept = value.size() <= limit ? value.size() : cut_position(value, limit);
  const char* in = value.data();
  const char* const end = in + kept;
  while (in != end) {
    need(kStep);
    at_ = escape_step(at_, in, end);
  }
  if (kept == value.size()) return;
  const std::string mark = cut_mark(value.size() - kept);
  need(mark.size());
  at_ = write_text(at_, mark);
}

void JsonWriter::quoted(std::string_view value, std::size_t limit) {
  need(1);
  *at_++ = '"';
  escaped(value, limit);
  need(1);
  *at_++ = '"';
}

void JsonWriter::quoted_literal(JsonKey value) {
  need(value.text().size() + 2);
  *at_++ = '"';
  at_ = write_text(at_, value.text());
  *at_++ = '"';
}

void JsonWriter::digits(std::uint64_t value) {
  need(32);
  at_ = std::to_chars(at_, end_, value).ptr;
}

void JsonWriter::digits(std::int64_t value) {
  need(32);
  at_ = std::to_chars(at_, end_, value).ptr;
}

void JsonWriter::digits(double value) {
  // JSON has no infinity and no NaN.
  need(32);
  at_ = std::isfinite(value) ? std::to_chars(at_, end_, value).ptr : write_text(at_, "null");
}

void JsonWriter::truth(bool value) {
  need(8);
  at_ = write_text(at_, value ? "true" : "false");
}

void JsonWriter::duration(std::chrono::nanoseconds value) {
  need(32);
  at_ = write_seconds(at_, value);
}

void JsonWriter::moment(std::chrono::system_clock::time_point value) {
  need(26);
  *at_++ = '"';
  at_ = write_rfc3339(at_, value);
  *at_++ = '"';
}

void JsonWriter::text_entry(std::string_view name, std::string_view value, std::size_t limit) {
  key_entry(name);
  quoted(value, limit);
}

void JsonWriter::number_entry(std::string_view name, std::int64_t value) {
  key_entry(name);
  digits(value);
}

void JsonWriter::number_entry(std::string_view name, std::uint64_t value) {
  key_entry(name);
  digits(value);
}

void JsonWriter::number_entry(std::string_view name, double value) {
  key_entry(name);
  digits(value);
}

void JsonWriter::seconds_entry(std::string_view name, std::chrono::nanoseconds value) {
  key_entry(name);
  duration(value);
}

void JsonWriter::boolean_entry(std::string_view name, bool value) {
  key_entry(name);
  truth(value);
}

void JsonWriter::open(JsonKey name) {
  key(name);
  need(1);
  *at_++ = '{';
  first_ = true;
  ++depth_;
}

void JsonWriter::close() {
  if (depth_ <= 1) return;
  need(1);
  *at_++ = '}';
  first_ = false;
  --depth_;
}

void JsonWriter::finish() {
  while (depth_ > 1) close();
  if (depth_ == 0) return;
  need(2);
  at_ = write_text(at_, "}\n");
  depth_ = 0;
  out_.resize(static_cast<std::size_t>(at_ - out_.data()));
}

}  // namespace gatehouse
