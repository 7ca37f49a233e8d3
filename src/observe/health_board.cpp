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

std::size_t HealthBoard::add(std::string name, std::string kind, bool critical, Health until_known) {
  const std::lock_guard lock(mutex_);
  CheckResult check;
  check.name = std::move(name);
  check.kind = std::move(kind);
  check.critical = critical;
  check.since = std::chrono::system_clock::now();
  check.error = "not checked yet";
  check.health = until_known;
  checks_.emplace(next_, std::move(check));
  judge();
  return next_++;
}

void HealthBoard::remove(std::size_t check) {
  const std::lock_guard lock(mutex_);
  checks_.erase(check);
  judge();
}

bool HealthBoard::report(std::size_t check, bool healthy, std::chrono::nanoseconds latency, std::string error) {
  const std::lock_guard lock(mutex_);
  const auto at = checks_.find(check);
  if (at == checks_.end()) return false;
  CheckResult& result = at->second;
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
  std::vector<CheckResult> results;
  for (const auto& [number, check] : checks_) results.push_back(check);
  return results;
}

void HealthBoard::set_notes(std::vector<std::string> notes) {
  const std::lock_guard lock(mutex_);
  notes_ = std::move(notes);
}

std::vector<std::string> HealthBoard::notes() const {
  const std::lock_guard lock(mutex_);
  return notes_;
}

void HealthBoard::judge() {
  Health worst = Health::kPass;
  for (const auto& [number, check] : checks_) {
    if (check.health == Health::kPass) continue;
    worst = std::max(worst, check.critical ? check.health : Health::kWarn);
  }
  overall_.store(worst, std::memory_order_relaxed);
}

}  // namespace gatehouse::observe
