#include "filters/concurrency_keys.hpp"

#include <thread>

namespace gatehouse {

// Held for a look at two cache lines.
class ConcurrencyKeys::Lock {
 public:
  explicit Lock(Set& set) noexcept : set_(set) {
    for (int tries = 0; set_.locked.exchange(1, std::memory_order_acquire) != 0; ++tries)
      if (tries >= 100) std::this_thread::yield();
  }
  ~Lock() { set_.locked.store(0, std::memory_order_release); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Set& set_;
};

std::optional<ConcurrencyKeys::Lease> ConcurrencyKeys::enter(RateKey key, std::uint32_t most) noexcept {
  Lease lease;
  if (sets_.empty()) return lease;
  const auto tag = static_cast<std::uint64_t>(key);
  lease.set_ = static_cast<std::uint32_t>((tag >> 32) * sets_.size() >> 32);
  Set& set = sets_[lease.set_];
  const Lock lock(set);
  std::uint32_t place = kPlaces;
  for (std::uint32_t i = 0; i < kPlaces; ++i) {
    if (set.counts[i] == 0) {
      place = i;
    } else if (set.tags[i] == tag) {
      if (set.counts[i] >= most) return std::nullopt;
      place = i;
      break;
    }
  }
  if (place == kPlaces) {
    untracked_.fetch_add(1, std::memory_order_relaxed);
    return lease;
  }
  set.tags[place] = tag;
  ++set.counts[place];
  lease.keys_ = this;
  lease.place_ = place;
  return lease;
}

void ConcurrencyKeys::release(std::uint32_t set, std::uint32_t place) noexcept {
  const Lock lock(sets_[set]);
  --sets_[set].counts[place];
}

}  // namespace gatehouse
