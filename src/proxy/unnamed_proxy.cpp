#include "proxy/unnamed_proxy.hpp"

#include <cstring>

namespace gatehouse::proxy {
namespace {

// Enough to tell one peer from the next. Never zero.
std::uint64_t fingerprint(const IpAddress& address) noexcept {
  std::uint64_t words[2];
  std::memcpy(words, address.bytes.data(), sizeof words);
  return ((words[0] * 0x9e3779b97f4a7c15) ^ words[1]) | 1;
}

}  // namespace

bool UnnamedProxy::notice(const IpAddress& peer) noexcept {
  if (told_.load(std::memory_order_relaxed)) return false;
  const std::uint64_t who = is_private(peer) ? fingerprint(peer) : 0;
  // Workers that meet here may count one more or less; that changes when it is told, not whether.
  if (peer_.exchange(who, std::memory_order_relaxed) != who || who == 0) {
    in_a_row_.store(1, std::memory_order_relaxed);
    return false;
  }
  if (in_a_row_.fetch_add(1, std::memory_order_relaxed) + 1 < kInARow) return false;
  return !told_.exchange(true, std::memory_order_relaxed);
}

}  // namespace gatehouse::proxy
