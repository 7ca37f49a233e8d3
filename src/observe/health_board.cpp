#include "observe/health_board.hpp"

#include <algorithm>

namespace gatehouse::observe {

std::string_view name(Health health) noexcept {
  switch (health) {
    case Health::kPass:
      return "pass";
    case Health::kWarn:
      return "warn";
    case Health::kFail:
      return "fail";
  }
  return "fail";
}

std::size_t HealthBoard::add(std::string name, std::string kind, bool critical) {
  const std::lock_guard lock(mutex_);
  CheckResult check;
  check.name = std::move(name);
  check.kind = std::move(kind);
  check.critical = critical;
  check.since = std::chrono::system_clock::now();
  check.error = "not checked yet";
  checks_.push_back(std::move(check));
  judge();
  return checks_.size() - 1;
}

bool HealthBoard::report(std::size_t check, bool healthy, std::chrono::nanoseconds latency, std::string error) {
  const std::lock_guard lock(mutex_);
  CheckResult& result = checks_[check];
  const bool first = result.time == std::chrono::system_clock::time_point{};
  const Health health = healthy ? Health::kPass : Health::kFail;
  const bool changed = first || health != result.health;
  result.time = std::chrono::system_clock::now();
  if (changed) result.since = result.time;
  if (changed && !first) ++result.changes;
  result.health = health;
  result.latency = latency;
  result.error = healthy ? std::string() : std::move(error);
  judge();
  return changed;
}

std::vector<CheckResult> HealthBoard::results() const {
  const std::lock_guard lock(mutex_);
  return checks_;
}

void HealthBoard::judge() {
  Health worst = Health::kPass;
  for (const CheckResult& check : checks_) {
    if (check.health == Health::kPass) continue;
    worst = std::max(worst, check.critical ? Health::kFail : Health::kWarn);
  }
  overall_.store(worst, std::memory_order_relaxed);
}

}  // namespace gatehouse::observe
