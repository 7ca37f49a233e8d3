#include "observe/log_line.hpp"

#include "observe/json_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace gatehouse {
namespace {

constexpr std::size_t kMessageLimit = 16384;
constexpr std::size_t kKeyLimit = 256;

// Keys that every line has; a field of that name would make the object ambiguous.
constexpr std::array<std::string_view, 4> kReserved = {"timestamp", "level", "logger", "message"};

void write_json(const LogLine& line, const Redactor& redactor, std::string& out) {
  std::string scratch;
  JsonWriter json(out);
  json.time("timestamp", line.time);
  json.text("level", line.level);
  json.text("logger", line.logger);
  json.text("message", redactor.text(line.message, scratch), kMessageLimit);
  std::string renamed;
  for (const LogField& field : line.fields) {
    std::string_view key = field.key();
    if (std::find(kReserved.begin(), kReserved.end(), key) != kReserved.end())
      key = renamed.assign("field.").append(key);
    if (redactor.sensitive(key) && !std::holds_alternative<std::string_view>(field.value())) {
      json.text_entry(key, redactor.value(key, "number", scratch));
      continue;
    }
    if (const auto* text = std::get_if<std::string_view>(&field.value()))
      json.text_entry(key, redactor.value(key, *text, scratch), line.value_limit);
    else if (const auto* integer = std::get_if<std::int64_t>(&field.value()))
      json.number_entry(key, *integer);
    else if (const auto* natural = std::get_if<std::uint64_t>(&field.value()))
      json.number_entry(key, *natural);
    else if (const auto* real = std::get_if<double>(&field.value()))
      json.number_entry(key, *real);
    else if (const auto* truth = std::get_if<bool>(&field.value()))
      json.boolean_entry(key, *truth);
    else
      json.seconds_entry(key, std::get<std::chrono::nanoseconds>(field.value()));
  }
  json.finish();
}

std::string_view color_of(std::string_view level) {
  if (level == "error" || level == "critical") return "\x1b[31m";
  if (level == "warn") return "\x1b[33m";
  if (level == "info") return "\x1b[32m";
  return "\x1b[2m";
}

std::string plain(const LogField& field, const Redactor& redactor, std::string& scratch) {
  const auto number = [](auto value) {
    char digits[40];
    return std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  };
  std::string text;
  if (const auto* view = std::get_if<std::string_view>(&field.value()))
    text = *view;
  else if (const auto* integer = std::get_if<std::int64_t>(&field.value()))
    text = number(*integer);
  else if (const auto* natural = std::get_if<std::uint64_t>(&field.value()))
    text = number(*natural);
  else if (const auto* real = std::get_if<double>(&field.value()))
    text = number(*real);
  else if (const auto* truth = std::get_if<bool>(&field.value()))
    text = *truth ? "true" : "false";
  else {
    char digits[40];
    text.assign(digits, write_seconds(digits, std::get<std::chrono::nanoseconds>(field.value())));
    text += 's';
  }
  return std::string(redactor.value(field.key(), text, scratch));
}

void write_text(const LogLine& line, bool colored, const Redactor& redactor, std::string& out) {
  constexpr std::size_t kLevelWidth = 5;
  std::string scratch;
  char digits[32];
  out.append(digits, write_rfc3339(digits, line.time));
  out += ' ';
  if (colored) out += color_of(line.level);
  for (const char c : line.level) out += c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
  if (colored) out += "\x1b[0m";
  out.append(kLevelWidth - std::min(kLevelWidth, line.level.size()) + 1, ' ');
  append_escaped(out, line.logger, kKeyLimit);
  out += ": ";
  append_escaped(out, redactor.text(line.message, scratch), kMessageLimit);
  for (const LogField& field : line.fields) {
    out += ' ';
    append_escaped(out, field.key(), kKeyLimit);
    out += '=';
    const std::string value = plain(field, redactor, scratch);
    const bool bare = !value.empty() && value.find_first_of(" =") == std::string::npos;
    if (!bare) out += '"';
    append_escaped(out, value, line.value_limit);
    if (!bare) out += '"';
  }
  out += '\n';
}

}  // namespace

void write_log_line(const LogLine& line, LogFormat format, const Redactor& redactor, std::string& out) {
  if (format == LogFormat::kJson)
    write_json(line, redactor, out);
  else
    write_text(line, format == LogFormat::kColoredText, redactor, out);
}

}  // namespace gatehouse
