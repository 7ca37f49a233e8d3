// How a log line of Gatehouse's own looks, as JSON for machines and as text for people. Pure functions; any thread.
#pragma once

#include "observe/redactor.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace gatehouse {

enum class LogFormat : std::uint8_t { kJson, kText, kColoredText };

// `key=value` beside a message. Views: lives as long as the call it is passed to.
class LogField {
 public:
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool, std::chrono::nanoseconds>;

  LogField(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  LogField(std::string_view key, const char* value) : key_(key), value_(std::string_view(value)) {}
  LogField(std::string_view key, const std::string& value) : key_(key), value_(std::string_view(value)) {}
  LogField(std::string_view key, bool value) : key_(key), value_(value) {}
  LogField(std::string_view key, double value) : key_(key), value_(value) {}
  LogField(std::string_view key, std::chrono::nanoseconds value) : key_(key), value_(value) {}  // written as seconds
  template <std::signed_integral T>
  LogField(std::string_view key, T value) : key_(key), value_(std::int64_t{value}) {}
  template <std::unsigned_integral T>
  LogField(std::string_view key, T value) : key_(key), value_(std::uint64_t{value}) {}

  std::string_view key() const noexcept { return key_; }
  const Value& value() const noexcept { return value_; }

 private:
  std::string_view key_;
  Value value_;
};

struct LogLine {
  std::chrono::system_clock::time_point time;
  std::string_view level;  // `info`
  std::string_view logger;
  std::string_view message;
  std::span<const LogField> fields;
  std::size_t value_limit = 4096;  // bytes of one field that are kept
};

// Appends the line, its line break included. Message and values are redacted and bounded.
void write_log_line(const LogLine& line, LogFormat format, const Redactor& redactor, std::string& out);

}  // namespace gatehouse
