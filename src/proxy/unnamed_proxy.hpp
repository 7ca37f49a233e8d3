// Notices a proxy in front that nobody named in `trusted_proxies`: request after request says that it was forwarded,
// and all of them come from one address that no client on the internet has. Then every client counts as that one, and
// shares its limits. One for the process; any thread; costs one load once it has told.
#pragma once

#include "http/address.hpp"

#include <atomic>

namespace gatehouse::proxy {

class UnnamedProxy {
 public:
  static constexpr std::uint32_t kInARow = 100;

  // A request with X-Forwarded-For or Forwarded came from `peer`, where nobody is trusted. True once: when so many in a
  // row came from one private address.
  bool notice(const IpAddress& peer) noexcept;

 private:
  std::atomic<bool> told_{false};
  std::atomic<std::uint64_t> peer_{0};
  std::atomic<std::uint32_t> in_a_row_{0};
};

}  // namespace gatehouse::proxy
