// How the requests are shared out among the pools: one serves, or a second one gets a part of what it had. One number for the whole
// process, kept over reloads: written by the main thread, read by each worker once a request.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse::upstream {

// Stands for the name of a pool for as long as the process lives.
using PoolId = std::uint16_t;

// What is not the target's is the base's.
struct Shares {
  PoolId base = 0;
  PoolId target = 0;
  unsigned percent = 0;  // of the requests, to the target
  bool operator==(const Shares&) const = default;
};

class TrafficSplit {
 public:
  Shares load() const noexcept {
    const std::uint32_t packed = packed_.load(std::memory_order_relaxed);
    return {static_cast<PoolId>(packed >> 20), static_cast<PoolId>((packed >> 8) & 0xfff), packed & 0xff};
  }
  void store(Shares shares) noexcept {
    packed_.store(std::uint32_t{shares.base} << 20 | std::uint32_t{shares.target} << 8 | (shares.percent > 100 ? 100U : shares.percent),
                  std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint32_t> packed_{0};
};

// The names of all pools that there have been. Main thread.
class PoolNames {
 public:
  static constexpr std::size_t kMost = 4096;  // what a split has room for
  // The same for the same name, always; nothing when there have been too many.
  std::optional<PoolId> id_of(const std::string& name) {
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (names_[i] == name) return static_cast<PoolId>(i);
    if (names_.size() == kMost) return std::nullopt;
    names_.push_back(name);
    return static_cast<PoolId>(names_.size() - 1);
  }
  // Of an id that id_of() gave.
  const std::string& name(PoolId id) const { return names_.at(id); }

 private:
  std::vector<std::string> names_;
};

}  // namespace gatehouse::upstream
