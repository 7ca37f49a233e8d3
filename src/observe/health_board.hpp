// What is known about the health of the app, its dependencies and this process: written by probes, read by everybody.
// Results are kept, so asking costs nothing and causes no probe. Any thread; the overall verdict is one atomic.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace gatehouse::observe {

enum class Health : std::uint8_t { kPass, kWarn, kFail };
std::string_view name(Health health) noexcept;  // as in the health+json draft

struct CheckResult {
  std::string name;
  std::string kind;      // "upstream", "postgres", ...
  bool critical = true;  // false: its failure is a warning
  Health health = Health::kFail;
  std::chrono::system_clock::time_point time{};   // of the last answer; epoch: none yet
  std::chrono::system_clock::time_point since{};  // of the last change
  std::chrono::nanoseconds latency{};
  std::uint64_t changes = 0;                      // of health, after the first answer
  std::string error;                              // why it fails; never a secret
};

class HealthBoard {
 public:
  // Adds a check that has not answered yet; its number. Until its first answer it counts as `until_known`: what a reload brings must not
  // take a running process out of service.
  std::size_t add(std::string name, std::string kind, bool critical, Health until_known = Health::kFail);
  // Takes a check away; what is reported to it later is ignored.
  void remove(std::size_t check);
  // What a probe found. Returns true when the health of the check changed.
  bool report(std::size_t check, bool healthy, std::chrono::nanoseconds latency, std::string error);

  std::vector<CheckResult> results() const;

  // Sentences for people that are no verdict: who serves. They take the place of those before.
  void set_notes(std::vector<std::string> notes);
  std::vector<std::string> notes() const;
  // The worst of all checks: a failing critical one is kFail, any other kWarn. kFail before the first answers.
  Health overall() const noexcept { return overall_.load(std::memory_order_relaxed); }

 private:
  void judge();
  mutable std::mutex mutex_;
  std::map<std::size_t, CheckResult> checks_;  // in the order they were added
  std::vector<std::string> notes_;
  std::size_t next_ = 0;
  std::atomic<Health> overall_{Health::kPass};
};

}  // namespace gatehouse::observe
