#include "observe/log_queue.hpp"

#include <utility>

namespace gatehouse {
namespace {

constexpr std::size_t kChunk = LogBuffer::kHandOver;
// Buffers kept for the workers; a few per worker are in flight at any time.
constexpr std::size_t kSpare = 32;
// A buffer that once held a giant line is not kept.
constexpr std::size_t kLargestSpare = 4 * kChunk;

}  // namespace

LogQueue::LogQueue(std::size_t capacity, LogOverflow overflow) : capacity_(capacity), overflow_(overflow) {}

bool LogQueue::push(std::string& lines, std::size_t count) {
  if (count == 0) return true;
  std::unique_lock lock(mutex_);
  if (!make_room(lock, lines.size())) {
    lock.unlock();
    count_dropped(count);
    lines.clear();
    return false;
  }
  bytes_ += lines.size();
  // A nearly empty buffer is copied: handed over as it is, its unused memory would escape the bound.
  if (lines.size() < kChunk / 2) {
    append_copy(lines, count);
    lines.clear();
  } else {
    std::string empty = recycled();
    waiting_.push_back({std::exchange(lines, std::move(empty)), count});
  }
  const bool wake = std::exchange(writer_sleeps_, false);
  lock.unlock();
  if (wake) filled_.notify_one();
  return true;
}

bool LogQueue::push_line(std::string_view line) {
  std::unique_lock lock(mutex_);
  return keep_line(lock, make_room(lock, line.size()), line);
}

bool LogQueue::push_line_patiently(std::string_view line, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto fits = [&] { return bytes_ == 0 || bytes_ + line.size() <= capacity_ / 2; };
  const auto ready = [&] { return closed_ || fits(); };
  if (overflow_ == LogOverflow::kBlock)
    drained_.wait(lock, ready);
  else if (!ready() && !stalled_)
    stalled_ = !drained_.wait_for(lock, patience, ready);
  if (fits()) stalled_ = false;
  return keep_line(lock, !closed_ && fits() && line.size() <= capacity_, line);
}

bool LogQueue::keep_line(std::unique_lock<std::mutex>& lock, bool room, std::string_view line) {
  if (!room) {
    lock.unlock();
    count_dropped(1);
    return false;
  }
  bytes_ += line.size();
  append_copy(line, 1);
  const bool wake = std::exchange(writer_sleeps_, false);
  lock.unlock();
  if (wake) filled_.notify_one();
  return true;
}

bool LogQueue::make_room(std::unique_lock<std::mutex>& lock, std::size_t bytes) {
  if (bytes > capacity_) return false;
  const auto fits = [&] { return bytes_ + bytes <= capacity_; };
  if (overflow_ == LogOverflow::kBlock) drained_.wait(lock, [&] { return closed_ || fits(); });
  return !closed_ && fits();
}

void LogQueue::append_copy(std::string_view lines, std::size_t count) {
  if (waiting_.empty() || waiting_.back().lines.size() + lines.size() > kChunk) {
    waiting_.push_back({recycled(), 0});
    waiting_.back().lines.reserve(kChunk);
  }
  waiting_.back().lines.append(lines);
  waiting_.back().count += count;
}

std::string LogQueue::recycled() {
  if (spare_.empty()) return {};
  std::string buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

std::vector<LogChunk> LogQueue::take(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return woken_ || closed_ || !waiting_.empty(); };
  if (!ready()) {
    writer_sleeps_ = true;
    filled_.wait_for(lock, patience, ready);
    writer_sleeps_ = false;
  }
  woken_ = false;
  return std::exchange(waiting_, {});
}

void LogQueue::give_back(std::vector<LogChunk>&& chunks) {
  {
    const std::lock_guard lock(mutex_);
    for (LogChunk& chunk : chunks) {
      bytes_ -= chunk.lines.size();
      if (spare_.size() >= kSpare || chunk.lines.capacity() > kLargestSpare) continue;
      chunk.lines.clear();
      spare_.push_back(std::move(chunk.lines));
    }
  }
  chunks.clear();
  drained_.notify_all();
}

void LogQueue::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  filled_.notify_one();
}

void LogQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  filled_.notify_one();
  drained_.notify_all();
}

bool LogQueue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

std::size_t LogQueue::waiting_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void LogBuffer::flush() {
  if (count_ == 0) return;
  queue_.push(text_, count_);
  count_ = 0;
}

}  // namespace gatehouse
