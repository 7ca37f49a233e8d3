#include "filters/rate_rule.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

constexpr RateTime kStart{1h};

// One key under one rule, as the table keeps it.
struct Key {
  RateRule rule;
  std::uint64_t state = 0;

  RateDecision ask(RateTime now, std::uint64_t cost = 1) {
    const auto verdict = rule.judge(state, now, cost);
    state = verdict.state;
    return verdict.decision;
  }
};

TEST(RateRule, AnUnknownKeyHasItsWholeBurst) {
  Key key{RateRule(100, 1s, 20)};
  for (std::uint64_t left = 20; left-- > 0;) {
    const auto decision = key.ask(kStart);
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(decision.remaining, left);
  }
  EXPECT_FALSE(key.ask(kStart).allowed);
}

TEST(RateRule, ARefusalSaysExactlyWhenToTryAgain) {
  Key key{RateRule(10, 1s, 2)};
  EXPECT_EQ(key.ask(kStart).reset_after, 100ms);
  EXPECT_EQ(key.ask(kStart + 10ms).reset_after, 190ms);
  const auto refused = key.ask(kStart + 20ms);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 0U);
  EXPECT_EQ(refused.retry_after, 80ms);
  EXPECT_EQ(refused.reset_after, 180ms);
  EXPECT_FALSE(key.ask(kStart + 100ms - 1ns).allowed);
  EXPECT_TRUE(key.ask(kStart + 100ms).allowed);
}

TEST(RateRule, ARefusalCostsNothing) {
  Key key{RateRule(10, 1s, 1)};
  EXPECT_TRUE(key.ask(kStart).allowed);
  for (int i = 1; i < 100; ++i) EXPECT_FALSE(key.ask(kStart + i * 1ms).allowed);
  EXPECT_TRUE(key.ask(kStart + 100ms).allowed);
}

TEST(RateRule, CostsCountAsSoManyRequests) {
  Key key{RateRule(10, 1s, 10)};
  EXPECT_EQ(key.ask(kStart, 7).remaining, 3U);
  EXPECT_EQ(key.ask(kStart, 4).retry_after, 100ms);
  EXPECT_TRUE(key.ask(kStart, 3).allowed);
}

TEST(RateRule, MoreThanTheBurstNeverPassesHoweverLarge) {
  Key key{RateRule(10, 1s, 10)};
  for (const std::uint64_t cost : {std::uint64_t{11}, std::uint64_t{1} << 40, ~std::uint64_t{0}})
    EXPECT_FALSE(key.ask(kStart, cost).allowed) << cost;
}

TEST(RateRule, ReadingCostsNothing) {
  Key key{RateRule(10, 1s, 5)};
  key.ask(kStart, 2);
  EXPECT_EQ(key.ask(kStart, 0).remaining, 3U);
  EXPECT_EQ(key.ask(kStart, 0).reset_after, 200ms);
}

TEST(RateRule, ATimeBeforeTheLastRequestIsNotAnError) {
  Key key{RateRule(10, 1s, 2)};
  EXPECT_TRUE(key.ask(kStart + 1s).allowed);
  EXPECT_FALSE(key.ask(kStart).allowed);
}

TEST(RateRule, TellsWhenTheNextUnitComes) {
  Key key{RateRule(10, 1s, 5)};
  EXPECT_EQ(key.rule.next_unit_after(key.ask(kStart, 0)), 0s);
  EXPECT_EQ(key.rule.next_unit_after(key.ask(kStart)), 100ms);
  EXPECT_EQ(key.rule.next_unit_after(key.ask(kStart + 30ms)), 70ms);
  for (int i = 0; i < 3; ++i) key.ask(kStart + 30ms);
  const auto refused = key.ask(kStart + 40ms);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(key.rule.next_unit_after(refused), refused.retry_after);
}

// Allowed requests never exceed burst + d / interval in any span d, tried with arrivals that come in clumps and pauses.
TEST(RateRule, NoSpanOfTimeHoldsMoreThanTheBurstAndTheRate) {
  std::mt19937_64 random(1);
  for (const auto& [quota, window, burst] : std::vector<std::tuple<std::uint64_t, RateDuration, std::uint64_t>>{
           {100, 1s, 100}, {100, 1s, 1}, {5, 1min, 5}, {7, 1s, 3}, {3, 7ns, 2}, {1000000, 1s, 50}, {1000, 24h, 10}}) {
    const RateRule rule(quota, window, burst);
    Key key{rule};
    std::vector<RateTime> allowed;
    auto now = kStart;
    const auto interval = static_cast<std::uint64_t>(rule.interval().count());
    for (int i = 0; i < 4000; ++i) {
      if (random() % 3 != 0) now += RateDuration(random() % (interval * (random() % 20 == 0 ? burst * 2 : 2) + 1));
      if (key.ask(now).allowed) allowed.push_back(now);
    }
    ASSERT_GT(allowed.size(), 500U);
    for (std::size_t first = 0; first < allowed.size(); ++first)
      for (std::size_t last = first; last < std::min(first + 300, allowed.size()); ++last) {
        const auto span = static_cast<std::uint64_t>((allowed[last] - allowed[first]).count());
        ASSERT_LE(last - first + 1, burst + span / interval) << "quota " << quota;
        // Neither does it exceed what the user wrote: quota in each window, and the burst.
        ASSERT_LE(last - first + 1, burst + static_cast<std::uint64_t>(static_cast<long double>(span) * quota /
                                                                           static_cast<long double>(window.count()) +
                                                                       1e-9L));
      }
  }
}

TEST(RateRule, APatientClientIsNeverRefused) {
  std::mt19937_64 random(2);
  for (const std::uint64_t quota : {1U, 3U, 7U, 100U, 999983U}) {
    Key key{RateRule(quota, 1s, 1)};
    auto now = kStart;
    for (int i = 0; i < 10000; ++i) {
      ASSERT_TRUE(key.ask(now).allowed) << quota;
      now += key.rule.interval() + RateDuration(random() % 4 == 0 ? random() % 1000000 : 0);
    }
  }
}

TEST(RateRule, WaitingAsLongAsToldIsEnough) {
  std::mt19937_64 random(3);
  Key key{RateRule(7, 1s, 4)};
  auto now = kStart;
  for (int i = 0; i < 20000; ++i) {
    const auto cost = 1 + random() % 4;
    const auto decision = key.ask(now, cost);
    if (!decision.allowed) {
      ASSERT_FALSE(key.rule.judge(key.state, now + decision.retry_after - 1ns, cost).decision.allowed);
      now += decision.retry_after;
      ASSERT_TRUE(key.ask(now, cost).allowed);
    }
    now += RateDuration(random() % 200000000);
  }
}

TEST(RateRule, AChargeGivenBackLeavesNoTrace) {
  Key key{RateRule(10, 1s, 5)};
  key.ask(kStart, 2);
  const auto before = key.state;
  const auto taken = key.rule.judge(before, kStart + 10ms, 3);
  EXPECT_EQ(key.rule.without(taken.state, kStart + 20ms, {taken.state, 3}), before);
}

TEST(RateRule, AChargeThatTimeHasGivenBackIsNotGivenBackAgain) {
  Key key{RateRule(10, 1s, 5)};
  const auto early = key.rule.judge(0, kStart, 1).state;
  key.state = early;
  key.ask(kStart + 150ms);
  const auto after = key.state;
  EXPECT_EQ(key.rule.without(after, kStart + 150ms, {early, 1}), after);
}

TEST(RateRule, AKeyIsForgettableWhenItsBurstIsWholeAgain) {
  Key key{RateRule(10, 1s, 5)};
  key.ask(kStart, 3);
  EXPECT_FALSE(key.rule.forgettable(key.state, kStart + 300ms - 1ns));
  EXPECT_TRUE(key.rule.forgettable(key.state, kStart + 300ms));
  EXPECT_EQ(key.rule.judge(key.state, kStart + 300ms, 1).decision.reset_after,
            key.rule.judge(0, kStart + 300ms, 1).decision.reset_after);
}

// A login guarded by five failures a minute, locked for a minute, two, four ... up to an hour.
struct Login : Key {
  Login() : Key{RateRule(5, 1min, 5, {1min, 1h})} {}
  bool try_and_fail(RateTime now) {
    if (!ask(now).allowed) return false;
    state = rule.failed(state, now);
    return true;
  }
  RateDuration locked_for(RateTime now) const { return rule.judge(state, now, 1).decision.retry_after; }
};

TEST(RateRule, TheLastFailureLocksOut) {
  Login login;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(login.try_and_fail(kStart));
  EXPECT_EQ(login.locked_for(kStart), 0s);
  EXPECT_TRUE(login.try_and_fail(kStart));
  EXPECT_EQ(login.locked_for(kStart), 1min);
  EXPECT_FALSE(login.try_and_fail(kStart + 1min - 1ns));
  EXPECT_TRUE(login.try_and_fail(kStart + 1min));
}

TEST(RateRule, EachLockOutIsTwiceAsLongUpToTheMost) {
  Login login;
  auto now = kStart;
  for (int i = 0; i < 5; ++i) login.try_and_fail(now);
  for (const auto expected : {1min, 2min, 4min, 8min, 16min, 32min, 60min, 60min, 60min}) {
    ASSERT_EQ(login.locked_for(now), expected);
    now += expected;
    // One attempt is free then; its failure locks again.
    ASSERT_TRUE(login.try_and_fail(now));
  }
  for (int i = 0; i < 40; ++i) {
    now += 1h;
    ASSERT_TRUE(login.try_and_fail(now));
  }
  EXPECT_EQ(login.locked_for(now), 1h);
}

TEST(RateRule, WaitingUntilAllAttemptsAreBackDoesNotShortenTheNextLockOut) {
  Login login;
  for (int i = 0; i < 5; ++i) login.try_and_fail(kStart);
  const auto later = kStart + 5min;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(login.try_and_fail(later));
  EXPECT_EQ(login.locked_for(later), 2min);
}

TEST(RateRule, LockOutsAreForgottenAfterTheLongest) {
  Login login;
  for (int i = 0; i < 5; ++i) login.try_and_fail(kStart);
  const auto later = kStart + 1min + 1min + 1h;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(login.try_and_fail(later));
  EXPECT_EQ(login.locked_for(later), 1min);
}

TEST(RateRule, FailuresAnsweredTogetherLockOutOnce) {
  Login login;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(login.ask(kStart).allowed);
  for (int i = 0; i < 5; ++i) login.state = login.rule.failed(login.state, kStart + 1s);
  EXPECT_EQ(login.locked_for(kStart + 1s), 1min);
}

TEST(RateRule, WhatWasTakenBeforeALockOutDoesNotShortenIt) {
  Login login;
  const auto taken = login.rule.judge(0, kStart, 1).state;
  login.state = taken;
  for (int i = 0; i < 4; ++i) login.try_and_fail(kStart);
  EXPECT_EQ(login.rule.without(login.state, kStart, {taken, 1}), login.state);
}

}  // namespace
}  // namespace gatehouse
