#include "upstream/retry_budget.hpp"

#include <algorithm>

namespace gatehouse::upstream {

RetryBudget::Slot& RetryBudget::slot(Clock::time_point now) noexcept {
  const std::int64_t second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  Slot& slot = slots_[static_cast<std::size_t>(second % kSeconds)];
  if (slot.second != second) slot = {second, 0, 0};
  return slot;
}

bool RetryBudget::take(Clock::time_point now) noexcept {
  Slot& current = slot(now);
  std::uint64_t requests = 0, retries = 0;
  for (const Slot& each : slots_) {
    if (current.second - each.second >= kSeconds) continue;
    requests += each.requests;
    retries += each.retries;
  }
  const double allowed = std::max(part_ * static_cast<double>(requests), minimum_ * static_cast<double>(kSeconds));
  if (static_cast<double>(retries) + 1 > allowed) return false;
  ++current.retries;
  return true;
}

}  // namespace gatehouse::upstream
