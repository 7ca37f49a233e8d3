// Numbers that one thread writes and any thread reads: a count is a load and a store, not a locked operation.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace gatehouse::observe {

class Counter {
 public:
  void add(std::uint64_t by = 1) noexcept { value_.store(get() + by, std::memory_order_relaxed); }
  void subtract(std::uint64_t by = 1) noexcept { value_.store(get() - by, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Counters by a literal, e.g. a reason. At most kMost different ones; what comes later is counted as "other".
class ReasonCounters {
 public:
  static constexpr std::size_t kMost = 96;
  // `reason` must be a literal (or live as long as the process).
  void add(std::string_view reason) noexcept;
  template <class Visit>
  void for_each(Visit visit) const {
    const std::size_t used = used_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < used; ++i) visit(rows_[i].reason, rows_[i].count.get());
  }

 private:
  struct Row {
    std::string_view reason;
    Counter count;
  };
  std::array<Row, kMost> rows_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace gatehouse::observe
