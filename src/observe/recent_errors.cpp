#include "observe/recent_errors.hpp"

namespace gatehouse::observe {

void RecentErrors::add(RecentError error) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return;
  Ring& ring = error.status >= 500 || error.status == 0 ? failures_ : refusals_;
  if (ring.errors.size() < kMost) {
    ring.errors.push_back(std::move(error));
    return;
  }
  ring.errors[ring.next] = std::move(error);
  ring.next = (ring.next + 1) % kMost;
}

std::vector<RecentError> RecentErrors::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<RecentError> errors = failures_.errors;
  errors.insert(errors.end(), refusals_.errors.begin(), refusals_.errors.end());
  return errors;
}

}  // namespace gatehouse::observe
