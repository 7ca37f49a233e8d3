// How the requests of one pool of the app went, as one worker counts them; read from any thread.
#pragma once

#include "observe/counter.hpp"
#include "observe/histogram.hpp"

#include <string>

namespace gatehouse::observe {

class PoolStats {
 public:
  explicit PoolStats(std::string pool) : pool_(std::move(pool)) {}
  const std::string& pool() const noexcept { return pool_; }

  Counter requests;
  Counter failures;    // without an answer, with one that broke off, or with a status of 500 and above
  Counter waiting;     // now: sent there, without an answer so far
  Counter active;      // now: with an answer that is not over, too
  Histogram duration;  // from the choice of an address to the head of the answer, or to there being none

 private:
  friend struct WorkerMetrics;
  std::string pool_;
  PoolStats* next_ = nullptr;
};

}  // namespace gatehouse::observe
