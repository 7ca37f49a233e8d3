#include "filters/rate_limit.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

RatePolicy policy(std::string name, std::uint64_t quota) {
  RatePolicy policy;
  policy.name = std::move(name);
  policy.quota = quota;
  policy.window = 1000h;  // nothing comes back while a test runs
  policy.max_keys = 1000;
  return policy;
}

bool passes(const RateLimit& filter) {
  Arena arena;
  Exchange exchange(arena);
  exchange.client.bytes = IpAddress::v4(0xc0000201).bytes;
  return !filter.on_request(exchange);
}

std::multiset<std::string> names(const RateTables& tables) {
  std::multiset<std::string> names;
  tables.for_each([&](const std::string& name, const RateTable&) { names.insert(name); });
  return names;
}

using Names = std::multiset<std::string>;

TEST(RateTables, APolicyThatStaysKeepsItsCountsWhereOthersComeGoAndChange) {
  RateTables tables;
  auto old =
      std::make_unique<RateLimit>(std::vector{policy("stays", 2), policy("changes", 50), policy("goes", 50)}, tables);
  EXPECT_TRUE(passes(*old));
  const RateLimit next({policy("comes", 50), policy("changes", 60), policy("stays", 2)}, tables);
  EXPECT_EQ(names(tables), (Names{"changes", "changes", "comes", "goes", "stays"}));
  old.reset();
  EXPECT_EQ(names(tables), (Names{"changes", "comes", "stays"}));
  EXPECT_TRUE(passes(next));
  EXPECT_FALSE(passes(next));
}

TEST(RateTables, WhatDoesNotChangeTheMeaningOfACountForgetsNoCount) {
  RateTables tables;
  const RateLimit old({policy("a", 1)}, tables);
  EXPECT_TRUE(passes(old));
  auto changed = policy("a", 1);
  changed.exempt_paths = {"/static/*"};
  changed.methods = {"GET"};
  changed.fields = RateFields::kNone;
  EXPECT_FALSE(passes(RateLimit({changed}, tables)));
}

TEST(RateTables, APolicyThatWasAwayStartsAfresh) {
  RateTables tables;
  EXPECT_TRUE(passes(RateLimit({policy("a", 1)}, tables)));
  EXPECT_EQ(names(tables), Names{});
  EXPECT_TRUE(passes(RateLimit({policy("a", 1)}, tables)));
}

// A worker serves with the old configuration for as long as a request of it takes, while the next ones are built, and
// each worker lets go of it when it likes.
TEST(RateTables, ConfigurationsMayComeAndGoWhileWorkersCount) {
  RateTables tables;
  constexpr int kWorkers = 3;
  constexpr int kConfigurations = 200;
  const RateLimit first({policy("stays", 1000)}, tables);
  std::atomic<int> passed{0};
  std::vector<std::vector<std::unique_ptr<RateLimit>>> built(kWorkers);
  for (int n = 0; n < kConfigurations; ++n)
    for (auto& filters : built)
      filters.push_back(
          std::make_unique<RateLimit>(std::vector{policy("stays", 1000), policy("changes", 100000 + n % 7)}, tables));
  std::vector<std::thread> workers;
  for (auto& filters : built)
    workers.emplace_back([&filters, &passed] {
      for (auto& filter : filters) {
        for (int i = 0; i < 10; ++i) passed += passes(*filter) ? 1 : 0;
        filter.reset();
      }
    });
  for (int n = 0; n < kConfigurations; ++n) {
    const RateLimit next({policy("stays", 1000), policy("changes", 100000 + n % 7)}, tables);
    passed += passes(next) ? 1 : 0;
    static_cast<void>(names(tables));
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(passed, 1000);
  EXPECT_EQ(names(tables), Names{"stays"});
}

}  // namespace
}  // namespace gatehouse
