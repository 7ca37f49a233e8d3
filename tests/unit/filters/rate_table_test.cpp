#include "filters/rate_table.hpp"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

constexpr RateTime kStart{1h};

// Keys as a keyed hash makes them: any 64 bits.
RateKey key(std::uint64_t n) {
  n = (n + 1) * 0x9e3779b97f4a7c15;
  n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9;
  n = (n ^ (n >> 27)) * 0x94d049bb133111eb;
  return RateKey{n ^ (n >> 31)};
}

std::uint64_t remaining(const RateTable& table, RateKey key, RateTime now) { return table.peek(key, now, 0).remaining; }

TEST(RateTable, CountsEachKeyForItself) {
  RateTable table(RateRule(10, 1s, 3), 1000);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(table.decide(key(1), kStart, 1).allowed);
  EXPECT_FALSE(table.decide(key(1), kStart, 1).allowed);
  EXPECT_TRUE(table.decide(key(2), kStart, 1).allowed);
  EXPECT_EQ(remaining(table, key(2), kStart), 2U);
  EXPECT_EQ(remaining(table, key(3), kStart), 3U);
}

TEST(RateTable, LookingTakesNoPlace) {
  RateTable table(RateRule(10, 1s, 3), 1000);
  for (std::uint64_t n = 0; n < 100; ++n) table.peek(key(n), kStart, 1);
  EXPECT_EQ(table.counters().keys, 0U);
  table.decide(key(1), kStart, 1);
  EXPECT_EQ(table.counters().keys, 1U);
}

TEST(RateTable, AKeyWhoseHashIsZeroIsAKey) {
  RateTable table(RateRule(10, 1s, 1), 10);
  EXPECT_TRUE(table.decide(RateKey{0}, kStart, 1).allowed);
  EXPECT_FALSE(table.decide(RateKey{0}, kStart, 1).allowed);
}

TEST(RateTable, ItsMemoryIsFixedAndAtMostSixtyFourBytesAKey) {
  static_assert(RateTable::kBytesPerKey <= 64);
  for (const std::size_t keys : {std::size_t{1000}, std::size_t{100000}, std::size_t{1000000}})
    EXPECT_LE(RateTable(RateRule(1, 1s, 1), keys).memory(), keys * RateTable::kBytesPerKey + 128);
}

TEST(RateTable, HoldsAsManyKeysAsItWasMadeFor) {
  constexpr std::uint64_t kKeys = 100000;
  RateTable table(RateRule(1, 1h, 10), kKeys);
  for (std::uint64_t n = 0; n < kKeys; ++n) table.decide(key(n), kStart, 5);
  std::uint64_t forgotten = 0;
  for (std::uint64_t n = 0; n < kKeys; ++n) forgotten += remaining(table, key(n), kStart) == 5 ? 0 : 1;
  EXPECT_EQ(forgotten, table.counters().displaced);
  EXPECT_LT(forgotten, kKeys / 200);
}

TEST(RateTable, KeysThatOweNothingMakeRoomWithoutLoss) {
  RateTable table(RateRule(10, 1s, 10), 1000);
  auto now = kStart;
  for (std::uint64_t n = 0; n < 100000; ++n) {
    table.decide(key(n), now, 1);
    now += 1ms;  // about a hundred keys owe something at any time
  }
  EXPECT_EQ(table.counters().displaced, 0U);
  EXPECT_GT(table.counters().evictions, 90000U);
}

// However many addresses send one request each, a key that owes more than one unit keeps its state.
TEST(RateTable, TenMillionOneShotKeysNeverDisplaceAKeyInUse) {
  RateTable table(RateRule(1, 1h, 10), 1000);
  const auto memory = table.memory();
  for (std::uint64_t n = 0; n < 50; ++n) table.decide(key(n), kStart, 2 + n % 8);
  for (std::uint64_t n = 1000; n < 10'001'000; ++n) table.decide(key(n), kStart, 1);
  for (std::uint64_t n = 0; n < 50; ++n) EXPECT_EQ(remaining(table, key(n), kStart), 8 - n % 8);
  EXPECT_GT(table.counters().displaced, 9'900'000U);
  EXPECT_EQ(table.memory(), memory);
  EXPECT_LE(memory, 1000 * RateTable::kBytesPerKey + 128);
}

// Addresses that spend as much as anybody can: a key that has to go gets back what it owed, and nobody is refused more.
TEST(RateTable, TenMillionGreedyKeysGiveADisplacedKeyItsBurstBackAndNoMore) {
  constexpr std::uint64_t kBurst = 10;
  RateTable table(RateRule(1, 1h, kBurst), 1000);
  for (std::uint64_t n = 0; n < 50; ++n) table.decide(key(n), kStart, kBurst / 2);
  for (std::uint64_t n = 1000; n < 10'001'000; ++n) ASSERT_TRUE(table.decide(key(n), kStart, kBurst).allowed);
  for (std::uint64_t n = 0; n < 50; ++n) {
    const auto left = remaining(table, key(n), kStart);
    EXPECT_TRUE(left == kBurst / 2 || left == kBurst) << left;
  }
  EXPECT_LE(table.memory(), 1000 * RateTable::kBytesPerKey + 128);
  EXPECT_LE(table.counters().keys, table.memory() / 128 * 7);
}

TEST(RateTable, AFloodOfKeysRefusesNobody) {
  RateTable table(RateRule(10, 1s, 2), 100);
  for (std::uint64_t n = 0; n < 100000; ++n) ASSERT_TRUE(table.decide(key(n), kStart, 1).allowed);
}

TEST(RateTable, GivesBackWhatDidNotCount) {
  RateTable table(RateRule(10, 1s, 5), 1000);
  RateCharge charge;
  table.decide(key(1), kStart, 2);
  table.decide(key(1), kStart, 3, &charge);
  table.give_back(key(1), kStart + 1ms, charge);
  EXPECT_EQ(remaining(table, key(1), kStart), 3U);
  RateCharge refused;
  EXPECT_FALSE(table.decide(key(1), kStart, 4, &refused).allowed);
  table.give_back(key(1), kStart, refused);
  EXPECT_EQ(remaining(table, key(1), kStart), 3U);
}

TEST(RateTable, FailuresLockOutAndASuccessForgives) {
  RateTable table(RateRule(3, 1min, 3, {1min, 1h}), 1000);
  for (int i = 0; i < 3; ++i) {
    table.decide(key(1), kStart, 1);
    table.fail(key(1), kStart);
  }
  EXPECT_EQ(table.counters().lockouts, 1U);
  EXPECT_FALSE(table.decide(key(1), kStart + 59s, 1).allowed);
  EXPECT_TRUE(table.decide(key(1), kStart + 61s, 1).allowed);
  table.forgive(key(1));
  EXPECT_EQ(remaining(table, key(1), kStart + 61s), 3U);
  table.forgive(key(2));
  table.fail(key(2), kStart);
}

TEST(RateTable, MirrorsWhatOthersCountedAndNeverForgivesByIt) {
  RateTable table(RateRule(10, 1s, 10), 1000);
  table.mirror(key(1), kStart, 700ms);
  EXPECT_EQ(remaining(table, key(1), kStart), 3U);
  table.mirror(key(1), kStart, 200ms);
  EXPECT_EQ(remaining(table, key(1), kStart), 3U);
  table.mirror(key(1), kStart, 1000ms);
  EXPECT_FALSE(table.decide(key(1), kStart, 1).allowed);
  table.mirror(key(2), kStart, 0s);
  EXPECT_EQ(table.counters().keys, 1U);
}

TEST(RateTable, AgreesWithTheRuleWhateverHappens) {
  const RateRule rule(20, 1s, 7, {200ms, 2s});
  RateTable table(rule, 10000);
  std::vector<std::uint64_t> states(50);
  std::mt19937_64 random(4);
  auto now = kStart;
  for (int i = 0; i < 100000; ++i) {
    now += RateDuration(random() % 3000000);
    const auto n = random() % states.size();
    const auto action = random() % 10;
    if (action == 0) {
      table.fail(key(n), now);
      if (states[n] != 0) states[n] = rule.failed(states[n], now);
    } else if (action == 1) {
      table.forgive(key(n));
      states[n] = 0;
    } else {
      const auto verdict = rule.judge(states[n], now, action / 3);
      states[n] = verdict.state;
      const auto decision = table.decide(key(n), now, action / 3);
      ASSERT_EQ(decision.allowed, verdict.decision.allowed);
      ASSERT_EQ(decision.reset_after, verdict.decision.reset_after);
    }
  }
}

template <class Work>
void on_threads(unsigned count, Work work) {
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
  for (auto& thread : threads) thread.join();
}

TEST(RateTable, ThreadsTogetherGetExactlyTheBurst) {
  RateTable table(RateRule(1, 1h, 1000), 1000);
  std::atomic<std::uint64_t> allowed{0};
  on_threads(4, [&](unsigned) {
    for (int i = 0; i < 2000; ++i)
      if (table.decide(key(1), kStart, 1).allowed) ++allowed;
  });
  EXPECT_EQ(allowed, 1000U);
}

// The first requests of a client come over several connections at once.
TEST(RateTable, ThreadsThatMeetANewKeyTogetherCountItOnce) {
  RateTable table(RateRule(1, 1h, 1), 100000);
  constexpr std::uint64_t kKeys = 5000;
  std::atomic<std::uint64_t> allowed{0};
  on_threads(4, [&](unsigned) {
    for (std::uint64_t n = 0; n < kKeys; ++n)
      if (table.decide(key(n), kStart, 1).allowed) ++allowed;
  });
  EXPECT_EQ(allowed, kKeys);
}

TEST(RateTable, AKeyInUseIsExactWhileThreadsFloodItsTable) {
  RateTable table(RateRule(1, 1h, 100), 10);
  std::atomic<std::uint64_t> allowed{0};
  table.decide(key(0), kStart, 50);
  on_threads(4, [&](unsigned thread) {
    for (std::uint64_t n = 0; n < 20000; ++n) {
      table.decide(key(1000000 * (thread + 1) + n), kStart, 1);
      if (n % 100 == 0 && table.decide(key(0), kStart, 1).allowed) ++allowed;
    }
  });
  EXPECT_EQ(allowed, 50U);
}

RateAsk ask(RateTable& table, std::uint64_t n, std::uint64_t cost = 1) { return {&table, key(n), cost, {}, {}}; }

TEST(TakeAll, TakesFromAllOrFromNone) {
  RateTable wide(RateRule(10, 1s, 10), 100);
  RateTable narrow(RateRule(1, 1s, 2), 100);
  for (int i = 0; i < 2; ++i) {
    RateAsk asks[] = {ask(wide, 1), ask(narrow, 1)};
    EXPECT_TRUE(take_all(asks, kStart));
  }
  RateAsk asks[] = {ask(wide, 1), ask(narrow, 1)};
  EXPECT_FALSE(take_all(asks, kStart));
  EXPECT_TRUE(asks[0].decision.allowed);
  EXPECT_EQ(asks[0].decision.remaining, 8U);
  EXPECT_FALSE(asks[1].decision.allowed);
  EXPECT_EQ(asks[1].decision.retry_after, 1s);
  EXPECT_EQ(remaining(wide, key(1), kStart), 8U);
}

TEST(TakeAll, OrderDoesNotMatterForWhatIsTaken) {
  RateTable wide(RateRule(10, 1s, 10), 100);
  RateTable narrow(RateRule(1, 1s, 1), 100);
  for (int i = 0; i < 5; ++i) {
    RateAsk asks[] = {ask(narrow, 1), ask(wide, 1)};
    EXPECT_EQ(take_all(asks, kStart), i == 0);
  }
  EXPECT_EQ(remaining(wide, key(1), kStart), 9U);
}

TEST(TakeAll, NobodyToAskMeansYes) { EXPECT_TRUE(take_all({}, kStart)); }

TEST(TakeAll, ThreadsNeverExceedAnyLimit) {
  RateTable first(RateRule(1, 1h, 3000), 100);
  RateTable second(RateRule(1, 1h, 1000), 100);
  std::atomic<std::uint64_t> allowed{0};
  on_threads(4, [&](unsigned) {
    for (int i = 0; i < 2000; ++i) {
      RateAsk asks[] = {ask(first, 1), ask(second, 1)};
      if (take_all(asks, kStart, [] { return kStart; })) ++allowed;
    }
  });
  EXPECT_EQ(allowed, 1000U);
  EXPECT_EQ(remaining(first, key(1), kStart), 2000U);
}

}  // namespace
}  // namespace gatehouse
