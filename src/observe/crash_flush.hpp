// The last lines before a crash: most of them wait in memory, and the writer thread still runs while the thread that
// crashed stands in its signal handler. So that thread waits for the writer, briefly, before it lets the process die.
#pragma once

#include "observe/log_queue.hpp"

namespace gatehouse {

// Installs itself for the fatal signals as long as it lives; whatever was installed before gets the signal afterwards.
// Only one at a time: a signal handler can reach nothing but static data. Main thread.
class CrashFlush {
 public:
  // `queue` must outlive this.
  explicit CrashFlush(const LogQueue& queue);
  ~CrashFlush();
  CrashFlush(const CrashFlush&) = delete;
  CrashFlush& operator=(const CrashFlush&) = delete;
};

}  // namespace gatehouse
