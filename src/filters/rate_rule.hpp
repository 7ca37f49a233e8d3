// The arithmetic of one limit: the generic cell rate algorithm (GCRA), a token bucket whose whole state is one moment.
//
// That moment, the theoretical arrival time, is when the key would have all of its burst back; each unit pushes it one
// interval further, and a request that would push it more than the burst's worth of time ahead of now is refused and
// changes nothing. Hence:
//   - in any span of time d at most burst + d / interval units pass, for every d and every pattern of arrival;
//   - a client that never spends more than one unit an interval is never refused;
//   - a key whose moment has passed is the same as a key never seen.
// The interval is window / quota rounded up to a nanosecond: the quota is never exceeded, and undershot by less than
// one part in a thousand at a million requests a second, by nothing worth naming below.
//
// With a lock-out, spending the last unit through fail() refuses everything for `lockout_base`, twice that the next
// time, and so on up to `lockout_max`. The next time is remembered until `lockout_max` after the key would have all its
// burst back. Pure functions of a 64-bit state and the time; the table keeps the states.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace gatehouse {

using RateTime = std::chrono::steady_clock::time_point;
using RateDuration = std::chrono::nanoseconds;

struct RateDecision {
  bool allowed = true;
  // Whole units left for now.
  std::uint64_t remaining = 0;
  // Until the whole burst is there again.
  RateDuration reset_after{};
  // When refused: until a request of that cost could pass.
  RateDuration retry_after{};
};

// What a decision took, for giving it back.
struct RateCharge {
  std::uint64_t state = 0;
  std::uint64_t cost = 0;
};

struct RateLockout {
  RateDuration base{};  // 0: none
  RateDuration max{};
  bool operator==(const RateLockout&) const = default;
};

class RateRule {
 public:
  // All positive, quota at most a thousand million, and burst * (window / quota) and the lock-outs at most a year.
  constexpr RateRule(std::uint64_t quota, RateDuration window, std::uint64_t burst, RateLockout lockout = {}) noexcept
      : interval_((ticks(window) + quota - 1) / quota),
        burst_(burst),
        capacity_(burst * interval_),
        lockout_base_(ticks(lockout.base)),
        lockout_max_(ticks(lockout.max)) {}

  RateDuration interval() const noexcept { return duration(interval_); }
  std::uint64_t burst() const noexcept { return burst_; }

  struct Verdict {
    RateDecision decision;
    std::uint64_t state;  // as it stands after the decision
  };
  // May `cost` units pass? State 0 is a key never seen.
  Verdict judge(std::uint64_t state, RateTime now, std::uint64_t cost) const noexcept {
    const auto at = ticks(now);
    const auto from = std::max(moment(state), at);
    // More than the burst never passes; the bound keeps the product small.
    const auto to = from + std::min(cost, burst_ + 1) * interval_;
    if (to - at > capacity_) {
      auto decision = standing(from - at);
      decision.allowed = false;
      decision.retry_after = duration(to - at - capacity_);
      return {decision, state};
    }
    return {standing(to - at), pack(to, level(state, at))};
  }

  // The state without a charge that turned out not to count. A charge that time has given back already stays as it is,
  // and so does a state that a lock-out has replaced.
  std::uint64_t without(std::uint64_t state, RateTime now, const RateCharge& charge) const noexcept {
    const bool still_there = moment(charge.state) > ticks(now) && (state & kLevelMask) == (charge.state & kLevelMask);
    const auto given = charge.cost * interval_;
    return still_there && moment(state) > given ? pack(moment(state) - given, state & kLevelMask) : state;
  }

  // The state after a charge that turned out to be a failure: locked where it was the last unit.
  std::uint64_t failed(std::uint64_t state, RateTime now) const noexcept {
    const auto at = ticks(now);
    const auto owed = std::max(moment(state), at) - at;
    // A lock-out, and nothing else, puts the moment further ahead than the burst.
    const bool locked = owed > capacity_;
    if (lockout_base_ == 0 || locked || owed + interval_ <= capacity_) return state;
    const auto next_level = std::min(level(state, at) + 1, kLevelMask);
    const auto doubled = lockout_base_ << (next_level - 1);
    const auto lockout = std::max(std::min(doubled, lockout_max_), interval_ + 1);
    return pack(at + capacity_ - interval_ + lockout, next_level);
  }

  // The state of a key of which somebody else knows that it owes that much.
  std::uint64_t owing(std::uint64_t state, RateTime now, RateDuration owed) const noexcept {
    return std::max(state, pack(ticks(now) + ticks(owed), 0));
  }
  // Where a key stands that owes that much.
  RateDecision standing(RateDuration owed) const noexcept { return standing(ticks(owed)); }

  // When the state can be forgotten without loss. What lies furthest back is the least useful thing to remember.
  std::uint64_t forgettable_at(std::uint64_t state) const noexcept {
    return moment(state) + ((state & kLevelMask) != 0 ? lockout_max_ : 0);
  }
  bool forgettable(std::uint64_t state, RateTime now) const noexcept { return forgettable_at(state) <= ticks(now); }

  // From a decision's moment on, until one more unit than `remaining` is there; 0 where all are.
  RateDuration next_unit_after(const RateDecision& decision) const noexcept {
    if (decision.remaining >= burst_) return {};
    const auto kept = (burst_ - decision.remaining - 1) * interval_;
    return decision.reset_after - duration(std::min(kept, ticks(decision.reset_after)));
  }

 private:
  // The state: 60 bits of nanoseconds (36 years of uptime), four bits of lock-out level.
  static constexpr std::uint64_t kLevelMask = 15;
  static constexpr std::uint64_t moment(std::uint64_t state) noexcept { return state >> 4; }
  static constexpr std::uint64_t pack(std::uint64_t moment, std::uint64_t level) noexcept {
    return moment << 4 | level;
  }
  static constexpr std::uint64_t ticks(RateDuration d) noexcept { return static_cast<std::uint64_t>(d.count()); }
  static constexpr std::uint64_t ticks(RateTime t) noexcept { return ticks(RateDuration(t.time_since_epoch())); }
  static constexpr RateDuration duration(std::uint64_t t) noexcept {
    return RateDuration(static_cast<std::int64_t>(t));
  }

  std::uint64_t level(std::uint64_t state, std::uint64_t at) const noexcept {
    return forgettable_at(state) <= at ? 0 : state & kLevelMask;
  }
  RateDecision standing(std::uint64_t owed) const noexcept {
    RateDecision decision;
    decision.remaining = owed >= capacity_ ? 0 : (capacity_ - owed) / interval_;
    decision.reset_after = duration(owed);
    return decision;
  }

  std::uint64_t interval_;
  std::uint64_t burst_;
  std::uint64_t capacity_;
  std::uint64_t lockout_base_;
  std::uint64_t lockout_max_;
};

}  // namespace gatehouse
