#include "upstream/pool.hpp"

#include <gtest/gtest.h>
#include <map>

namespace gatehouse::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Three addresses; nothing is connected.
class PoolTest : public testing::Test {
 protected:
  PoolTest() { make(std::nullopt); }
  void make(std::optional<CircuitSettings> circuit) {
    std::vector<std::shared_ptr<Member>> members;
    for (std::size_t i = 0; i < 3; ++i) {
      ClusterSettings settings;
      settings.address = std::to_string(i);
      settings.circuit = circuit;
      healths_[i] = std::make_shared<AddressHealth>();
      members.push_back(std::make_shared<Member>(std::make_unique<Cluster>(io_, wheel_, settings, metrics_, shared_), healths_[i]));
    }
    members_ = members;
    pool_ = std::make_unique<Pool>("app", PoolId{0}, std::move(members), RetryBudget(0.2, 3), nullptr, Pool::Naming::kByUser);
  }
  // How often each one is chosen.
  std::map<Member*, int> pick(int times, std::uint32_t tried = 0) {
    std::map<Member*, int> picked;
    for (int i = 0; i < times; ++i) ++picked[pool_->pick(now_, tried)];
    return picked;
  }
  Member* at(std::size_t i) { return members_[i].get(); }

  boost::asio::io_context io_;
  net::TimerWheel wheel_{io_};
  observe::SeriesBudget budget_;
  observe::WorkerMetrics metrics_{budget_};
  SharedConnections shared_;
  std::shared_ptr<AddressHealth> healths_[3];
  std::vector<std::shared_ptr<Member>> members_;
  std::unique_ptr<Pool> pool_;
  net::Clock::time_point now_{seconds(1000)};
};

TEST_F(PoolTest, TakesTurnsAmongEquals) {
  const std::map<Member*, int> even{{at(0), 10}, {at(1), 10}, {at(2), 10}};
  EXPECT_EQ(pick(30), even);
}

TEST_F(PoolTest, PrefersTheAddressWithTheFewestRequestsInFlight) {
  MemberUse first(*at(0)), second(*at(0)), third(*at(1)), fourth(*at(2)), fifth(*at(2));
  EXPECT_EQ(pick(10), (std::map<Member*, int>{{at(1), 10}}));
}

TEST_F(PoolTest, CountsARequestForAsLongAsItIsHeld) {
  {
    MemberUse use(*at(0));
    MemberUse moved(std::move(use));
    EXPECT_EQ(at(0)->in_flight(), 1U);
    moved = MemberUse(*at(1));
    EXPECT_EQ(at(1)->in_flight(), 1U);
  }
  EXPECT_EQ(at(0)->in_flight(), 0U);
  EXPECT_EQ(at(1)->in_flight(), 0U);
}

TEST_F(PoolTest, LeavesOutAnAddressThatFailsItsChecks) {
  healths_[1]->healthy = false;
  EXPECT_EQ(pick(10), (std::map<Member*, int>{{at(0), 5}, {at(2), 5}}));
}

TEST_F(PoolTest, AsksAllWhereNoneIsWell) {
  for (const auto& health : healths_) health->healthy = false;
  EXPECT_EQ(pick(30).size(), 3U);
}

TEST_F(PoolTest, LeavesAnAddressAsideThatFailedAndThenTriesItOnce) {
  at(0)->failed(now_);
  EXPECT_EQ(pick(10).count(at(0)), 0U);
  now_ += milliseconds(500);
  EXPECT_EQ(pick(12)[at(0)], 1);
}

TEST_F(PoolTest, LeavesAnAddressAsideForLongerEachTimeButNotForEver) {
  milliseconds aside{500};
  for (int i = 0; i < 6; ++i) {
    at(0)->failed(now_);
    now_ += aside - milliseconds(1);
    EXPECT_FALSE(at(0)->is_well(now_)) << i;
    now_ += milliseconds(1);
    EXPECT_TRUE(at(0)->is_well(now_)) << i;
    aside = std::min(aside * 2, milliseconds(4000));
  }
}

TEST_F(PoolTest, TakesAnAddressBackThatAcceptedAConnection) {
  at(0)->failed(now_);
  now_ += milliseconds(500);
  at(0)->accepted();
  EXPECT_EQ(pick(30)[at(0)], 10);
}

TEST_F(PoolTest, TakesNoAddressTwiceForOneRequest) {
  EXPECT_EQ(pick(10, pool_->bit(*at(0)) | pool_->bit(*at(2))), (std::map<Member*, int>{{at(1), 10}}));
  EXPECT_EQ(pool_->pick(now_, 7), nullptr);
}

TEST_F(PoolTest, TriesAnUnhealthyAddressWhereNoOtherIsLeft) {
  healths_[1]->healthy = false;
  EXPECT_EQ(pool_->pick(now_, pool_->bit(*at(0)) | pool_->bit(*at(2))), at(1));
}

TEST_F(PoolTest, LeavesOutAnAddressWhoseCircuitIsOpen) {
  make(CircuitSettings{1, milliseconds(0), seconds(5), 1});
  for (const std::size_t i : {0, 1}) {
    ASSERT_TRUE(at(i)->cluster().circuit().admit(now_));
    at(i)->cluster().circuit().failed(now_);
  }
  EXPECT_EQ(pick(10), (std::map<Member*, int>{{at(2), 10}}));
  ASSERT_TRUE(at(2)->cluster().circuit().admit(now_));
  at(2)->cluster().circuit().failed(now_);
  EXPECT_EQ(pool_->pick(now_), nullptr);
  EXPECT_NE(pool_->pick(now_ + seconds(5)), nullptr);
}

TEST_F(PoolTest, FindsTheMemberOfTheSameSettings) {
  EXPECT_EQ(pool_->find(at(1)->cluster().settings()), members_[1]);
  ClusterSettings other = at(1)->cluster().settings();
  other.wait_queue += 1;
  EXPECT_EQ(pool_->find(other), nullptr);
}

TEST_F(PoolTest, CountsItsCircuitsOnceItsWorkerUsesThem) {
  make(CircuitSettings{1, milliseconds(0), seconds(5), 1});
  EXPECT_EQ(metrics_.circuits_closed.get(), 0U);
  for (const auto& member : members_) member->cluster().begin_use();
  for (const auto& member : members_) member->cluster().begin_use();
  EXPECT_EQ(metrics_.circuits_closed.get(), 3U);
  pool_.reset();
  members_.clear();
  EXPECT_EQ(metrics_.circuits_closed.get(), 0U);
}

}  // namespace
}  // namespace gatehouse::upstream
