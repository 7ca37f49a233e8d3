// Distributions as one worker counts them, and the traces that show where a bucket's requests are to be found. One thread
// writes, others read at any time.
#pragma once

#include "observe/counter.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::observe {

inline constexpr std::size_t kBounds = 14;

// Upper bounds in what is counted (nanoseconds, bytes), and how many of these make the unit that is shown.
struct Buckets {
  std::array<std::uint64_t, kBounds> bounds;
  double unit;
};

// OpenTelemetry's for HTTP durations: 5 ms to 10 s.
inline constexpr Buckets kDurations{{5'000'000, 10'000'000, 25'000'000, 50'000'000, 75'000'000, 100'000'000, 250'000'000, 500'000'000,
                                     750'000'000, 1'000'000'000, 2'500'000'000, 5'000'000'000, 7'500'000'000, 10'000'000'000}, 1e9};
// For what Gatehouse itself adds: 5 us to 100 ms.
inline constexpr Buckets kFineDurations{{5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000,
                                         10'000'000, 25'000'000, 50'000'000, 100'000'000}, 1e9};
// Bodies: 64 bytes to 4 GiB.
inline constexpr Buckets kSizes{{64, 256, 1u << 10, 1u << 12, 1u << 14, 1u << 16, 1u << 18, 1u << 20, 1u << 22, 1u << 24, 1u << 26,
                                 1u << 28, 1u << 30, std::uint64_t{1} << 32}, 1};

class Histogram {
 public:
  explicit Histogram(const Buckets& buckets = kDurations) noexcept : buckets_(&buckets) {}
  // Counts a value; the number of the bucket it fell into.
  std::size_t observe(std::uint64_t value) noexcept;
  // A duration; a negative one counts as none.
  std::size_t observe(std::chrono::nanoseconds duration) noexcept;

  const Buckets& buckets() const noexcept { return *buckets_; }
  std::uint64_t bucket(std::size_t index) const noexcept { return counts_[index].get(); }  // not cumulative; kBounds = +Inf
  double sum() const noexcept { return static_cast<double>(sum_.get()) / buckets_->unit; }

 private:
  const Buckets* buckets_;
  std::array<Counter, kBounds + 1> counts_;
  Counter sum_;
};

struct Exemplar {
  std::string trace_id;
  double value = 0;  // seconds
  std::chrono::system_clock::time_point time;
};

// The last traced request of each bucket. Memory is taken when the first one comes.
class Exemplars {
 public:
  ~Exemplars();
  Exemplars() = default;
  Exemplars(const Exemplars&) = delete;
  Exemplars& operator=(const Exemplars&) = delete;

  // `trace_id` has 32 lower-case hexadecimal digits; any other is not kept.
  void keep(std::size_t bucket, std::string_view trace_id, std::chrono::nanoseconds duration, std::chrono::system_clock::time_point time);
  // Nothing also where one is being written at this moment.
  std::optional<Exemplar> at(std::size_t bucket) const;

 private:
  // A sequence that is odd while the rest is being written: readers take what they saw only between two equal even ones.
  struct Slot {
    std::atomic<std::uint32_t> sequence{0};
    std::array<std::atomic<std::uint64_t>, 2> trace{};
    std::atomic<std::int64_t> nanoseconds{0};
    std::atomic<std::int64_t> time_ms{0};
  };
  std::atomic<std::array<Slot, kBounds + 1>*> slots_{nullptr};
};

}  // namespace gatehouse::observe
