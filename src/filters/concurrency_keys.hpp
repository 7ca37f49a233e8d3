// How many requests each client has under way, for as many clients as there can be, in memory that is fixed: sets of
// seven places behind a keyed hash, as in rate_table.hpp. A place is free again with the client's last request. A
// client that finds its set full is not counted, and so not limited: `untracked` tells. Any thread.
#pragma once

#include "filters/rate_table.hpp"

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

namespace gatehouse {

class ConcurrencyKeys {
 public:
  // One request under way; ends with its last holder. May outlive nothing that it came from.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept
        : keys_(std::exchange(other.keys_, nullptr)), set_(other.set_), place_(other.place_) {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(keys_, other.keys_);
      std::swap(set_, other.set_);
      std::swap(place_, other.place_);
      return *this;
    }
    ~Lease() { end(); }
    void end() noexcept {
      if (keys_ != nullptr) std::exchange(keys_, nullptr)->release(set_, place_);
    }

   private:
    friend class ConcurrencyKeys;
    ConcurrencyKeys* keys_ = nullptr;
    std::uint32_t set_ = 0;
    std::uint32_t place_ = 0;
  };

  // Room for that many clients at the same time; 0: nobody is counted.
  explicit ConcurrencyKeys(std::size_t clients) : sets_((clients + 1) / 2) {}

  // Nothing where the client has `most` requests under way already.
  std::optional<Lease> enter(RateKey key, std::uint32_t most) noexcept;

  std::uint64_t untracked() const noexcept { return untracked_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kPlaces = 7;
  struct alignas(128) Set {
    std::atomic<std::uint32_t> locked{0};
    std::uint32_t counts[kPlaces] = {};
    std::uint64_t tags[kPlaces] = {};
  };
  class Lock;
  void release(std::uint32_t set, std::uint32_t place) noexcept;

  std::vector<Set> sets_;
  std::atomic<std::uint64_t> untracked_{0};
};

}  // namespace gatehouse
