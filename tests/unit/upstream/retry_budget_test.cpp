#include "upstream/retry_budget.hpp"

#include <gtest/gtest.h>

namespace gatehouse::upstream {
namespace {

using std::chrono::seconds;

class RetryBudgetTest : public testing::Test {
 protected:
  void count(int requests) {
    for (int i = 0; i < requests; ++i) budget_.count(now_);
  }
  int take_all() {
    int taken = 0;
    while (taken < 10000 && budget_.take(now_)) ++taken;
    return taken;
  }
  RetryBudget::Clock::time_point now_{seconds(1000)};
  RetryBudget budget_{0.2, 1};
};

TEST_F(RetryBudgetTest, GivesAPartOfTheRequests) {
  count(1000);
  EXPECT_EQ(take_all(), 200);
}

TEST_F(RetryBudgetTest, GivesAFewWithoutAnyRequest) { EXPECT_EQ(take_all(), 10); }

TEST_F(RetryBudgetTest, ForgetsAfterTenSeconds) {
  count(1000);
  EXPECT_EQ(take_all(), 200);
  now_ += seconds(9);
  EXPECT_EQ(take_all(), 0);
  now_ += seconds(1);
  EXPECT_EQ(take_all(), 10);
}

TEST_F(RetryBudgetTest, CountsTheRequestsOfAllTenSeconds) {
  for (int second = 0; second < 10; ++second, now_ += seconds(1)) count(100);
  now_ -= seconds(1);
  EXPECT_EQ(take_all(), 200);
}

TEST_F(RetryBudgetTest, GivesNothingWhereNothingIsAllowed) {
  RetryBudget none(0, 0);
  none.count(now_);
  EXPECT_FALSE(none.take(now_));
}

}  // namespace
}  // namespace gatehouse::upstream
