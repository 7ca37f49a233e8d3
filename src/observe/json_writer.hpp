// Writes one JSON object on one line behind what a caller's string already holds. Whatever bytes come in, what goes out
// is valid JSON and valid UTF-8 without a raw control character. Lives on the stack of whoever writes the line; the
// string must not be touched between construction and finish(). One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace gatehouse {

// A key, or a value, that is a literal: checked by the compiler to need no escaping.
class JsonKey {
 public:
  template <std::size_t size>
  consteval JsonKey(const char (&literal)[size]) : text_(literal, size - 1) {
    for (const char c : text_)
      if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) throw "a literal of a JSON line must not need escaping";
  }
  constexpr std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

// Bytes of one value that are kept when the caller does not say otherwise.
inline constexpr std::size_t kJsonValueLimit = 8192;

class JsonWriter {
 public:
  // Opens the object.
  explicit JsonWriter(std::string& out);
  // A writer that was not finished leaves the string as it found it.
  ~JsonWriter();
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  // Of a value longer than `limit` bytes the beginning is kept, cut between code points and marked `…[N bytes cut]`.
  void text(JsonKey name, std::string_view value, std::size_t limit = kJsonValueLimit) {
    key(name);
    quoted(value, limit);
  }
  // A value that is a literal too.
  void literal(JsonKey name, JsonKey value) {
    key(name);
    quoted_literal(value);
  }
  void number(JsonKey name, std::uint64_t value) {
    key(name);
    digits(value);
  }
  void number(JsonKey name, std::int64_t value) {
    key(name);
    digits(value);
  }
  void number(JsonKey name, double value) {
    key(name);
    digits(value);
  }
  void number(JsonKey name, int value) { number(name, static_cast<std::int64_t>(value)); }
  void boolean(JsonKey name, bool value) {
    key(name);
    truth(value);
  }
  // Seconds with six digits; a negative duration is written as zero.
  void seconds(JsonKey name, std::chrono::nanoseconds value) {
    key(name);
    duration(value);
  }
  // RFC 3339 in UTC with milliseconds.
  void time(JsonKey name, std::chrono::system_clock::time_point value) {
    key(name);
    moment(value);
  }

  // The same for keys that are data: they are escaped, and cut at 128 bytes.
  void text_entry(std::string_view key, std::string_view value, std::size_t limit = kJsonValueLimit);
  void number_entry(std::string_view key, std::int64_t value);
  void number_entry(std::string_view key, double value);
  void number_entry(std::string_view key, std::uint64_t value);
  void boolean_entry(std::string_view key, bool value);
  void seconds_entry(std::string_view key, std::chrono::nanoseconds value);

  // A nested object; close() ends the innermost one.
  void open(JsonKey key);
  void close();
  // Closes everything, ends the line, and gives the string back to the caller.
  void finish();

 private:
  void grow(std::size_t room);
  void need(std::size_t room) {
    if (static_cast<std::size_t>(end_ - at_) < room) grow(room);
  }
  // In the header because the size of a literal is known there, and copying it is a move or two then.
  [[gnu::always_inline]] void key(JsonKey name) {
    const std::string_view text = name.text();
    need(text.size() + 4);
    *at_ = ',';
    at_ += first_ ? 0 : 1;
    first_ = false;
    *at_ = '"';
    std::memcpy(at_ + 1, text.data(), text.size());
    std::memcpy(at_ + 1 + text.size(), "\":", 2);
    at_ += text.size() + 3;
  }
  void key_entry(std::string_view key);
  void escaped(std::string_view value, std::size_t limit);
  void quoted(std::string_view value, std::size_t limit);
  void quoted_literal(JsonKey value);
  void digits(std::uint64_t value);
  void digits(std::int64_t value);
  void digits(double value);
  void truth(bool value);
  void duration(std::chrono::nanoseconds value);
  void moment(std::chrono::system_clock::time_point value);

  std::string& out_;
  const std::size_t start_;
  char* at_;
  char* end_;
  unsigned depth_ = 1;
  bool first_ = true;
};

// Appends `value` as the inside of a JSON string, bounded and marked like JsonWriter::text(). Also right for a log line
// of plain text: the result holds no control character, no quote and no line break.
void append_escaped(std::string& out, std::string_view value, std::size_t limit = kJsonValueLimit);

// `2026-07-01T12:34:56.789Z`, 24 characters, written at `to`. Years outside 0-9999 are clamped.
char* write_rfc3339(char* to, std::chrono::system_clock::time_point time) noexcept;
// Seconds with six digits at `to`, which needs 32 bytes of room; a negative duration is written as zero.
char* write_seconds(char* to, std::chrono::nanoseconds value) noexcept;

}  // namespace gatehouse
