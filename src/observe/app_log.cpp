#include "observe/app_log.hpp"

#include "observe/json_writer.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace gatehouse {
namespace {

namespace json = boost::json;

// Judges JSON without building anything.
struct Judge {
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = max_object_size;
  static constexpr std::size_t max_key_size = max_object_size;
  static constexpr std::size_t max_string_size = max_object_size;
  using error_code = boost::system::error_code;
  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t, error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_key_part(json::string_view, std::size_t, error_code&) { return true; }
  bool on_key(json::string_view, std::size_t, error_code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, error_code&) { return true; }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, error_code&) { return true; }
  bool on_double(double, json::string_view, error_code&) { return true; }
  bool on_bool(bool, error_code&) { return true; }
  bool on_null(error_code&) { return true; }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }
};

bool is_json_object(std::string_view line) {
  if (line.size() < 2 || line.front() != '{' || line.back() != '}') return false;
  json::basic_parser<Judge> parser{json::parse_options{}};
  boost::system::error_code error;
  const std::size_t parsed = parser.write_some(false, line.data(), line.size(), error);
  return !error && parsed == line.size();
}

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  return line;
}

bool is_word_char(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

struct LevelWord {
  std::string_view word;
  std::string_view level;
};
constexpr LevelWord kLevelWords[] = {
    {"trace", "trace"},    {"debug", "debug"},    {"info", "info"},      {"notice", "info"},       {"warn", "warn"},
    {"warning", "warn"},   {"error", "error"},    {"err", "error"},      {"critical", "critical"}, {"crit", "critical"},
    {"fatal", "critical"}, {"panic", "critical"}, {"emerg", "critical"}, {"severe", "error"}};

// Words count where a logger puts them: in capitals, in brackets, behind `level=` or in front of a colon.
std::string_view level_of_word(std::string_view text, std::size_t begin, std::size_t end) {
  const std::string_view word = text.substr(begin, end - begin);
  const bool capitals = std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  const bool bracketed = begin > 0 && end < text.size() && text[begin - 1] == '[' && text[end] == ']';
  const bool named = text.substr(0, begin).ends_with("level=") || text.substr(0, begin).ends_with("severity=");
  const bool first = begin == 0 && end < text.size() && text[end] == ':';
  if (!capitals && !bracketed && !named && !first) return {};
  const auto same = [word](std::string_view known) {
    return known.size() == word.size() &&
           std::equal(word.begin(), word.end(), known.begin(), [](char a, char b) { return (a | 0x20) == b; });
  };
  for (const LevelWord& known : kLevelWords)
    if (same(known.word)) return known.level;
  return {};
}

}  // namespace

std::string_view told_level(std::string_view text) noexcept {
  constexpr std::size_t kHead = 160;
  if (text.find("Traceback (most recent call last)") != std::string_view::npos ||
      text.starts_with("Exception in thread"))
    return "error";
  if (text.starts_with("panic: ") || text.starts_with("fatal error: ") || text.starts_with("thread '"))
    return "critical";
  const std::string_view head = text.substr(0, kHead);
  for (std::size_t begin = 0; begin < head.size();) {
    if (!is_word_char(head[begin])) {
      ++begin;
      continue;
    }
    std::size_t end = begin;
    while (end < head.size() && is_word_char(head[end])) ++end;
    if (const std::string_view level = level_of_word(head, begin, end); !level.empty()) return level;
    begin = end;
  }
  return "info";
}

AppLog::AppLog(std::shared_ptr<const Redactor> redactor, AppLogForm form, Clock clock)
    : stream_(std::move(redactor)), form_(form), clock_(std::move(clock)) {}

void AppLog::feed(std::string_view bytes, std::string& out) {
  if (form_ == AppLogForm::kAsWritten) return stream_.feed(bytes, out);
  redacted_.clear();
  stream_.feed(bytes, redacted_);
  take(redacted_, out);
}

void AppLog::finish(std::string& out) {
  if (form_ == AppLogForm::kAsWritten) return stream_.finish(out);
  redacted_.clear();
  stream_.finish(redacted_);
  take(redacted_, out);
  if (!line_.empty()) take_line(std::exchange(line_, {}), out);
  flush_event(out);
}

void AppLog::take(std::string_view redacted, std::string& out) {
  while (!redacted.empty()) {
    const std::size_t newline = redacted.find('\n');
    const std::string_view part = redacted.substr(0, newline);
    redacted.remove_prefix(std::min(redacted.size(), part.size() + 1));
    if (newline != std::string_view::npos && line_.empty()) {
      take_line(part, out);
      inside_line_ = false;
      continue;
    }
    line_ += part;
    if (newline != std::string_view::npos) {
      take_line(line_, out);
      line_.clear();
      inside_line_ = false;
    } else {
      // An endless line: told in parts, so that it takes no more memory than a long one.
      line_.erase(0, tell_in_parts(line_, out));
    }
  }
}

std::size_t AppLog::tell_in_parts(std::string_view line, std::string& out) {
  std::size_t told = 0;
  while (line.size() - told > kLongestEvent) {
    std::size_t end = told + kLongestEvent;
    for (int back = 0; back < 3 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80; ++back) --end;
    if (!inside_line_) flush_event(out);
    add_to_event(line.substr(told, end - told), out);
    flush_event(out);
    inside_line_ = continued_ = true;
    told = end;
  }
  return told;
}

void AppLog::take_line(std::string_view line, std::string& out) {
  const std::string_view content = trimmed(line);
  if (content.empty()) {
    if (!event_.empty()) add_to_event({}, out);
    return;
  }
  if (!inside_line_ && is_json_object(content)) {
    flush_event(out);
    out.append(content) += '\n';
    return;
  }
  line.remove_prefix(tell_in_parts(line, out));
  if (!inside_line_ && !continues_event(line)) flush_event(out);
  add_to_event(line, out);
}

bool AppLog::continues_event(std::string_view line) {
  constexpr std::string_view go_starts[] = {"panic: ", "fatal error: ", "goroutine "};
  constexpr std::string_view goes_on[] = {"Caused by: ",
                                          "Suppressed: ",
                                          "... ",
                                          "stack backtrace:",
                                          "During handling of the above exception",
                                          "The above exception was the direct cause"};
  const auto starts = [line](std::string_view text) { return line.starts_with(text); };
  if (starts("Traceback (most recent call last)")) {
    const bool goes = !event_.empty();
    if (!goes) return false;
    trace_ = Trace::kPython;
    return true;
  }
  if (event_.empty()) return false;
  const bool indented = line.front() == ' ' || line.front() == '\t';
  if (trace_ == Trace::kPython && !indented) {
    trace_ = Trace::kNone;  // the exception itself ends what Python prints
    return true;
  }
  if (trace_ == Trace::kGo) return true;
  if (std::any_of(std::begin(go_starts), std::end(go_starts), starts)) {
    trace_ = Trace::kGo;
    return starts("goroutine ");
  }
  return indented || std::any_of(std::begin(goes_on), std::end(goes_on), starts);
}

void AppLog::add_to_event(std::string_view line, std::string& out) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!event_.empty() && event_.size() + line.size() > kLongestEvent) {
    const Trace trace = trace_;
    flush_event(out);
    trace_ = trace;
    continued_ = true;
  }
  if (event_.empty()) {
    event_began_ = clock_();
    if (line.starts_with("Traceback (most recent call last)")) trace_ = Trace::kPython;
    if (line.starts_with("panic: ") || line.starts_with("fatal error: ")) trace_ = Trace::kGo;
  } else {
    event_ += '\n';
  }
  event_ += line;
}

void AppLog::flush_event(std::string& out) {
  while (!event_.empty() && (event_.back() == '\n' || event_.back() == ' ')) event_.pop_back();
  trace_ = Trace::kNone;
  if (event_.empty()) return;
  JsonWriter writer(out);
  writer.time("timestamp", event_began_);
  writer.text("level", told_level(event_));
  writer.literal("logger", "app");
  writer.text("message", event_, std::numeric_limits<std::size_t>::max());
  if (continued_) writer.boolean("continued", true);
  writer.finish();
  event_.clear();
  continued_ = false;
}

}  // namespace gatehouse
