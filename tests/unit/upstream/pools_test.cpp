#include "upstream/pools.hpp"

#include <gtest/gtest.h>

namespace gatehouse::upstream {
namespace {

TEST(TrafficSplit, KeepsWhatWasStored) {
  TrafficSplit split;
  EXPECT_EQ(split.load(), (Shares{0, 0, 0}));
  split.store({4095, 17, 100});
  EXPECT_EQ(split.load(), (Shares{4095, 17, 100}));
  split.store({1, 2, 101});
  EXPECT_EQ(split.load(), (Shares{1, 2, 100}));
}

TEST(PoolNames, GivesANameTheSameNumberAlways) {
  PoolNames names;
  const auto blue = names.id_of("blue");
  const auto green = names.id_of("green");
  ASSERT_TRUE(blue && green);
  EXPECT_NE(*blue, *green);
  EXPECT_EQ(names.id_of("blue"), blue);
  EXPECT_EQ(names.name(*green), "green");
}

TEST(PoolNames, HasABound) {
  PoolNames names;
  for (std::size_t i = 0; i < PoolNames::kMost; ++i) ASSERT_TRUE(names.id_of(std::to_string(i)));
  EXPECT_FALSE(names.id_of("one more"));
  EXPECT_TRUE(names.id_of("0"));
}

TEST(CookieValue, IsFoundAmongOthers) {
  EXPECT_EQ(cookie_value("a=1; side=green; b=2", "side"), "green");
  EXPECT_EQ(cookie_value("side=green", "side"), "green");
  EXPECT_EQ(cookie_value("a=1;side=green", "side"), "green");
  EXPECT_EQ(cookie_value("myside=green; sidecar=x", "side"), "");
  EXPECT_EQ(cookie_value("side", "side"), "");
  EXPECT_EQ(cookie_value(";;=;side=", "side"), "");
  EXPECT_EQ(cookie_value("", "side"), "");
}

// blue = 0, green = 1, red = 2.
class PoolsTest : public testing::Test {
 protected:
  void SetUp() override { make("side"); }
  void make(std::string cookie) {
    std::vector<std::shared_ptr<Pool>> pools;
    for (const char* name : {"blue", "green", "red"}) {
      std::vector<std::shared_ptr<Member>> members;
      members.push_back(std::make_shared<Member>(std::make_unique<Cluster>(io_, wheel_, ClusterSettings{}, metrics_, shared_)));
      const auto id = static_cast<PoolId>(pools.size());
      pools.push_back(std::make_shared<Pool>(name, id, std::move(members), RetryBudget(0, 0), nullptr, Pool::Naming::kByUser));
    }
    pools_ = std::make_unique<Pools>(std::move(pools), PoolId{0}, split_, std::move(cookie));
  }
  std::string choose(Shares shares, std::string_view cookies, unsigned chance) {
    const Pools::Choice choice = pools_->choose(shares, cookies, chance);
    return choice.pool->name() + (choice.tell_client ? "!" : "");
  }

  boost::asio::io_context io_;
  net::TimerWheel wheel_{io_};
  observe::SeriesBudget budget_;
  observe::WorkerMetrics metrics_{budget_};
  SharedConnections shared_;
  TrafficSplit split_;
  std::unique_ptr<Pools> pools_;
};

TEST_F(PoolsTest, SendsAllToTheBaseWhileTheTargetHasNoPart) {
  EXPECT_EQ(choose({1, 1, 0}, "", 0), "green");
  EXPECT_EQ(choose({0, 1, 0}, "side=green", 0), "blue");
}

TEST_F(PoolsTest, SendsAllToTheTargetOnceItHasEverything) { EXPECT_EQ(choose({0, 1, 100}, "side=blue", 99), "green"); }

TEST_F(PoolsTest, SharesByChance) {
  make("");
  EXPECT_EQ(choose({0, 1, 10}, "", 9), "green");
  EXPECT_EQ(choose({0, 1, 10}, "", 10), "blue");
}

TEST_F(PoolsTest, KeepsAClientWithThePoolOfItsCookie) {
  EXPECT_EQ(choose({0, 1, 10}, "side=green", 99), "green");
  EXPECT_EQ(choose({0, 1, 10}, "side=blue", 0), "blue");
}

TEST_F(PoolsTest, TellsAClientWithoutAUsableCookieWhereItIs) {
  EXPECT_EQ(choose({0, 1, 10}, "", 0), "green!");
  EXPECT_EQ(choose({0, 1, 10}, "side=unknown", 99), "blue!");
  // That pool is there, but has no part in it.
  EXPECT_EQ(choose({0, 1, 10}, "side=red", 99), "blue!");
}

TEST_F(PoolsTest, GoesToTheActiveOneWhereTheSplitNamesAnother) {
  EXPECT_EQ(choose({7, 7, 0}, "", 0), "blue");
  EXPECT_EQ(choose({0, 7, 100}, "", 0), "blue");
}

TEST_F(PoolsTest, FollowsTheSplit) {
  split_.store({2, 2, 0});
  EXPECT_EQ(pools_->choose("").pool->name(), "red");
}

TEST_F(PoolsTest, SharesInProportion) {
  make("");
  split_.store({0, 1, 25});
  int green = 0;
  for (int i = 0; i < 10000; ++i) green += pools_->choose("").pool->name() == "green" ? 1 : 0;
  EXPECT_GT(green, 2000);
  EXPECT_LT(green, 3000);
}

}  // namespace
}  // namespace gatehouse::upstream
