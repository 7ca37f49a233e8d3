// The one thread that writes log lines: takes what the queue holds, writes it in large pieces, and says itself how many
// lines were lost when some were. Owned by Logging; every public function may be called from any thread.
#pragma once

#include "observe/log_output.hpp"
#include "observe/log_queue.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace gatehouse {

class LogWriter {
 public:
  // Appends the line that tells how many lines were lost.
  using DroppedLine = std::function<void(std::string& out, std::uint64_t count)>;

  // Starts the thread. `queue` must outlive the writer.
  LogWriter(LogQueue& queue, LogOutput output, DroppedLine dropped_line = write_dropped_line);
  // Stops with a second's patience.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Asks the thread to open its file anew.
  void reopen();
  // Closes the queue, writes what waits as long as `patience` lasts, counts the rest as dropped, and ends the thread.
  void stop(std::chrono::milliseconds patience);

  // That line as JSON, of level `warn`.
  static void write_dropped_line(std::string& out, std::uint64_t count);

  std::uint64_t written_bytes() const noexcept { return written_bytes_.load(std::memory_order_relaxed); }
  // Writes that failed for another reason than a slow reader: a full disk, a closed pipe.
  std::uint64_t write_errors() const noexcept { return write_errors_.load(std::memory_order_relaxed); }
  std::uint64_t reopen_errors() const noexcept { return reopen_errors_.load(std::memory_order_relaxed); }

 private:
  void run();
  void write_batch(std::vector<LogChunk>& batch);
  std::size_t write_lines(std::string_view lines);
  void write_or_drop(std::string_view lines);
  bool gave_up() const noexcept;
  void report_dropped();

  LogQueue& queue_;
  LogOutput output_;
  DroppedLine dropped_line_;
  std::uint64_t reported_ = 0;
  bool broken_ = false;  // nobody reads any more
  bool torn_ = false;    // the last line written is not whole
  std::atomic<bool> reopen_{false};
  std::atomic<std::chrono::steady_clock::rep> give_up_at_;
  std::atomic<std::uint64_t> written_bytes_{0};
  std::atomic<std::uint64_t> write_errors_{0};
  std::atomic<std::uint64_t> reopen_errors_{0};
  std::thread thread_;
};

}  // namespace gatehouse
