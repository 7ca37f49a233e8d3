// How many connections each client address holds, for `limits.connections_per_address`. Shared by all workers: one short lock when a
// connection begins and one when it ends, and none when there is no limit. Bounded by the number of open connections.
#pragma once

#include "http/address.hpp"

#include <atomic>
#include <map>
#include <mutex>

namespace gatehouse::proxy {

class AddressLimit {
 public:
  // 0: no limit. Any thread.
  void set_limit(int most) noexcept { most_.store(most, std::memory_order_relaxed); }
  bool enabled() const noexcept { return most_.load(std::memory_order_relaxed) > 0; }

  // Counts a connection of that network (IPv6: its /64, which one client has to itself). False when it is one too many: it counts all
  // the same until leave().
  bool enter(const IpAddress& address) {
    const std::lock_guard lock(mutex_);
    return ++open_[key(address)] <= most_.load(std::memory_order_relaxed);
  }
  void leave(const IpAddress& address) {
    const std::lock_guard lock(mutex_);
    const auto at = open_.find(key(address));
    if (at != open_.end() && --at->second == 0) open_.erase(at);
  }

 private:
  static IpAddress key(const IpAddress& address) { return network_of(unwrap_embedded_v4(address), 32, 64); }

  std::atomic<int> most_{0};
  std::mutex mutex_;
  std::map<IpAddress, int> open_;
};

}  // namespace gatehouse::proxy
