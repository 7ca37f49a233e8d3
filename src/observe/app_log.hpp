// What the application itself writes, made fit to be kept: redacted, and on request every event one JSON line, a
// traceback of many lines included. Owned by whoever reads the application's output; one thread, one object a stream.
#pragma once

#include "observe/redact_stream.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace gatehouse {

enum class AppLogForm : std::uint8_t {
  kAsWritten,
  kJsonLines  // JSON objects as they are, everything else wrapped: timestamp, level, logger `app`, message
};

class AppLog {
 public:
  using Clock = std::function<std::chrono::system_clock::time_point()>;

  AppLog(std::shared_ptr<const Redactor> redactor, AppLogForm form, Clock clock = std::chrono::system_clock::now);

  // Appends to `out` what is complete by now.
  void feed(std::string_view bytes, std::string& out);
  // Nothing came for a while: an event that waited for further lines is complete.
  void pause(std::string& out) { flush_event(out); }
  bool waiting() const noexcept { return !event_.empty(); }
  // The stream is over: appends everything that was kept, an unfinished last line too.
  void finish(std::string& out);

  // Longer events are split; the parts behind the first say `continued`.
  static constexpr std::size_t kLongestEvent = std::size_t{64} << 10;

 private:
  enum class Trace { kNone, kPython, kGo };

  void take(std::string_view redacted, std::string& out);
  void take_line(std::string_view line, std::string& out);
  std::size_t tell_in_parts(std::string_view line, std::string& out);
  bool continues_event(std::string_view line);
  void add_to_event(std::string_view line, std::string& out);
  void flush_event(std::string& out);

  RedactStream stream_;
  const AppLogForm form_;
  const Clock clock_;
  std::string redacted_;  // reused
  std::string line_;      // unfinished
  std::string event_;
  std::chrono::system_clock::time_point event_began_;
  Trace trace_ = Trace::kNone;
  bool continued_ = false;    // the event goes on from the one before
  bool inside_line_ = false;  // the line goes on from what has been split off
};

// The level a line of text tells (`ERROR`, `[warn]`, `level=debug`), `info` when it tells none.
std::string_view told_level(std::string_view text) noexcept;

}  // namespace gatehouse
