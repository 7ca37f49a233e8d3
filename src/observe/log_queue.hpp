// The bounded queue between the threads that log and the one that writes. A worker never waits for it (unless the
// operator asked for that): lines that find no room are dropped and counted. LogQueue is for any thread; a LogBuffer
// belongs to one worker, which fills it without a lock and hands it over a few times a second.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

enum class LogOverflow : std::uint8_t { kDrop, kBlock };

// Whole lines, each with its line break, and how many.
struct LogChunk {
  std::string lines;
  std::size_t count = 0;
};

class LogQueue {
 public:
  // At most `capacity` bytes wait, what the writer holds but has not written included.
  explicit LogQueue(std::size_t capacity = std::size_t{4} << 20, LogOverflow overflow = LogOverflow::kDrop);
  LogQueue(const LogQueue&) = delete;
  LogQueue& operator=(const LogQueue&) = delete;

  // Takes `count` whole lines; `lines` comes back empty, often with the memory of another buffer. False: dropped and
  // counted. Waits for room only with kBlock.
  bool push(std::string& lines, std::size_t count);
  // The same for one line that is not worth a buffer.
  bool push_line(std::string_view line);
  // For the application's output: it may have half of the room, so that the records of requests always find some, and is
  // held up for `patience` by a slow reader. One that has stopped reading holds it up once.
  bool push_line_patiently(std::string_view line, std::chrono::milliseconds patience);

  // For the writer: everything that waits, after waiting for something, for wake(), or for the end of `patience`.
  std::vector<LogChunk> take(std::chrono::milliseconds patience);
  // For the writer: these bytes are written or lost, their room is free again and their memory may be used again.
  void give_back(std::vector<LogChunk>&& chunks);
  // Ends a take() that waits.
  void wake();
  // Nothing is accepted from now on; whoever waits for room is let go.
  void close();
  bool closed() const;

  // Lines that found no room, or that the writer could not write.
  std::uint64_t dropped_lines() const noexcept { return dropped_.load(std::memory_order_relaxed); }
  void count_dropped(std::uint64_t lines) noexcept { dropped_.fetch_add(lines, std::memory_order_relaxed); }
  // Bytes that wait now, those included that the writer has taken and not written.
  std::size_t waiting_bytes() const;
  // The same for a signal handler, which must not wait for a lock.
  std::size_t unwritten_bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

 private:
  bool make_room(std::unique_lock<std::mutex>& lock, std::size_t bytes);
  bool keep_line(std::unique_lock<std::mutex>& lock, bool room, std::string_view line);
  void append_copy(std::string_view lines, std::size_t count);
  std::string recycled();

  const std::size_t capacity_;
  const LogOverflow overflow_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable drained_;
  std::vector<LogChunk> waiting_;
  std::vector<std::string> spare_;
  std::atomic<std::size_t> bytes_ = 0;  // changed under the mutex
  bool writer_sleeps_ = false;
  bool woken_ = false;
  bool stalled_ = false;  // nothing was read for as long as somebody waited
  bool closed_ = false;
  std::atomic<std::uint64_t> dropped_{0};
};

// Where one worker's lines gather.
class LogBuffer {
 public:
  // `queue` must outlive the buffer.
  explicit LogBuffer(LogQueue& queue) noexcept : queue_(queue) {}
  ~LogBuffer() { flush(); }
  LogBuffer(const LogBuffer&) = delete;
  LogBuffer& operator=(const LogBuffer&) = delete;

  // Append one whole line here, line break included, then call line_added().
  std::string& text() noexcept { return text_; }
  void line_added() {
    ++count_;
    if (text_.size() >= kHandOver) flush();
  }
  bool empty() const noexcept { return count_ == 0; }
  // Hands over what is here. To be called from a timer of some 50 ms and when the worker goes idle.
  void flush();

  static constexpr std::size_t kHandOver = std::size_t{32} << 10;

 private:
  LogQueue& queue_;
  std::string text_;
  std::size_t count_ = 0;
};

}  // namespace gatehouse
