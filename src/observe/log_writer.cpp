#include "observe/log_writer.hpp"

#include "observe/json_writer.hpp"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <limits>

namespace gatehouse {
namespace {

using Clock = std::chrono::steady_clock;

// How long the thread sleeps when nothing happens, and how often it looks up while a reader is slow.
constexpr std::chrono::milliseconds kIdle{60000};
constexpr std::chrono::milliseconds kSlowReader{50};
// Small chunks are joined up to this size before they are written.
constexpr std::size_t kJoin = std::size_t{64} << 10;

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

LogWriter::LogWriter(LogQueue& queue, LogOutput output, DroppedLine dropped_line)
    : queue_(queue),
      output_(std::move(output)),
      dropped_line_(std::move(dropped_line)),
      give_up_at_(std::numeric_limits<Clock::rep>::max()) {
  // The thread starts with every signal blocked: a closed pipe must show as an error, and signals are for main.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LogWriter::~LogWriter() { stop(std::chrono::seconds(1)); }

void LogWriter::reopen() {
  reopen_ = true;
  queue_.wake();
}

void LogWriter::stop(std::chrono::milliseconds patience) {
  if (!thread_.joinable()) return;
  give_up_at_ = (Clock::now() + patience).time_since_epoch().count();
  queue_.close();
  thread_.join();
}

bool LogWriter::gave_up() const noexcept { return Clock::now().time_since_epoch().count() >= give_up_at_; }

void LogWriter::run() {
  for (;;) {
    const bool last = queue_.closed();
    std::vector<LogChunk> batch = queue_.take(kIdle);
    if (reopen_.exchange(false)) {
      if (output_.reopen())
        broken_ = false;
      else
        ++reopen_errors_;
    }
    write_batch(batch);
    queue_.give_back(std::move(batch));
    report_dropped();
    if (last) break;
  }
}

void LogWriter::write_batch(std::vector<LogChunk>& batch) {
  std::string joined;
  const auto write_joined = [&] {
    write_or_drop(joined);
    joined.clear();
  };
  for (const LogChunk& chunk : batch) {
    if (joined.size() + chunk.lines.size() > kJoin) write_joined();
    if (batch.size() == 1 || chunk.lines.size() >= kJoin)
      write_or_drop(chunk.lines);
    else
      joined += chunk.lines;
  }
  write_joined();
}

void LogWriter::write_or_drop(std::string_view lines) {
  const std::size_t done = write_lines(lines);
  // A line of which only a part came out is lost too.
  if (done != lines.size()) queue_.count_dropped(count_lines(lines.substr(done)));
}

// How many of the bytes were written.
std::size_t LogWriter::write_lines(std::string_view lines) {
  std::size_t done = 0;
  while (done < lines.size() && !broken_) {
    if (torn_) {
      const auto ended = output_.write("\n");
      torn_ = !ended || *ended == 0;
    }
    const auto written = torn_ ? result<std::size_t>(std::size_t{0}) : output_.write(lines.substr(done));
    if (!written) {
      ++write_errors_;
      broken_ = written.error() == errc::closed;
      break;
    }
    done += *written;
    written_bytes_.fetch_add(*written, std::memory_order_relaxed);
    if (*written != 0) continue;
    if (gave_up()) break;
    output_.wait(kSlowReader);
  }
  torn_ = torn_ || (done != 0 && lines[done - 1] != '\n');
  return done;
}

void LogWriter::report_dropped() {
  const std::uint64_t dropped = queue_.dropped_lines();
  if (dropped == reported_ || broken_) return;
  std::string line;
  dropped_line_(line, dropped - reported_);
  if (write_lines(line) == line.size()) reported_ = dropped;
}

void LogWriter::write_dropped_line(std::string& out, std::uint64_t count) {
  JsonWriter json(out);
  json.time("timestamp", std::chrono::system_clock::now());
  json.text("level", "warn");
  json.text("logger", "log");
  json.text("message", "log lines dropped");
  json.number("count", count);
  json.finish();
}

}  // namespace gatehouse
