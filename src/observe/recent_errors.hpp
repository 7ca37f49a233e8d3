// The last requests of one worker that failed or were refused, for the status page. What a client sent has been redacted
// before it comes here, and queries never come. Bounded; the worker never waits for a reader.
#pragma once

#include "observe/counter.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::observe {

struct RecentError {
  std::chrono::system_clock::time_point time;
  int status = 0;  // 0: no answer was sent
  std::string method;
  std::string path;
  std::string route;
  std::string_view reason;  // a literal
  bool sidecar = false;
  std::string request_id;
  std::chrono::nanoseconds duration{};
};

class RecentErrors {
 public:
  // Failures (status 500 and up) and refusals are kept apart, so that a flood of the one does not wash the other away.
  static constexpr std::size_t kMost = 50;
  // Keeps it in place of the oldest of its kind; where somebody reads at this moment it is left out.
  void add(RecentError error);
  // In no particular order.
  std::vector<RecentError> all() const;

 private:
  struct Ring {
    std::vector<RecentError> errors;
    std::size_t next = 0;
  };
  mutable std::mutex mutex_;
  Ring failures_;
  Ring refusals_;
};

}  // namespace gatehouse::observe
