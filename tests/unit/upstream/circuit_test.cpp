#include "upstream/circuit.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace gatehouse::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using enum CircuitState;

class CircuitTest : public testing::Test {
 protected:
  void fail(int times = 1) {
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(circuit_.admit(now_));
      circuit_.failed(now_);
    }
  }
  void succeed(Circuit::Clock::duration latency = milliseconds(1)) {
    ASSERT_TRUE(circuit_.admit(now_));
    circuit_.answered(now_, latency);
  }

  Circuit::Clock::time_point now_{seconds(1000)};
  Circuit circuit_{CircuitSettings{3, milliseconds(500), seconds(5), 2}};
};

TEST_F(CircuitTest, OpensAfterSoManyFailuresInARow) {
  fail(2);
  succeed();
  fail(2);
  EXPECT_EQ(circuit_.state(), kClosed);
  fail();
  EXPECT_EQ(circuit_.state(), kOpen);
  EXPECT_FALSE(circuit_.admit(now_));
}

TEST_F(CircuitTest, TakesASlowAnswerForAFailure) {
  for (int i = 0; i < 3; ++i) succeed(milliseconds(501));
  EXPECT_EQ(circuit_.state(), kOpen);
}

TEST_F(CircuitTest, SaysWhenToComeAgainRoundedUp) {
  fail(3);
  EXPECT_EQ(circuit_.retry_after(now_), seconds(5));
  EXPECT_EQ(circuit_.retry_after(now_ + milliseconds(1)), seconds(5));
  EXPECT_EQ(circuit_.retry_after(now_ + milliseconds(4001)), seconds(1));
  EXPECT_EQ(circuit_.retry_after(now_ + seconds(60)), seconds(1));
}

TEST_F(CircuitTest, LetsAFewThroughAfterAWhileAndClosesWhenTheyGoWell) {
  fail(3);
  now_ += seconds(5);
  EXPECT_TRUE(circuit_.admit(now_));
  EXPECT_EQ(circuit_.state(), kHalfOpen);
  EXPECT_TRUE(circuit_.admit(now_));
  EXPECT_FALSE(circuit_.admit(now_));  // two are under way
  circuit_.answered(now_, milliseconds(1));
  EXPECT_EQ(circuit_.state(), kHalfOpen);
  circuit_.answered(now_, milliseconds(1));
  EXPECT_EQ(circuit_.state(), kClosed);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(circuit_.admit(now_));
}

TEST_F(CircuitTest, OpensAgainWhenATrialFails) {
  fail(3);
  now_ += seconds(5);
  succeed();
  fail();
  EXPECT_EQ(circuit_.state(), kOpen);
  EXPECT_FALSE(circuit_.admit(now_ + milliseconds(4999)));
  EXPECT_TRUE(circuit_.admit(now_ + seconds(5)));
}

TEST_F(CircuitTest, ATrialThatTellsNothingMakesRoomForAnother) {
  fail(3);
  now_ += seconds(5);
  EXPECT_TRUE(circuit_.admit(now_));
  EXPECT_TRUE(circuit_.admit(now_));
  circuit_.ended();
  EXPECT_EQ(circuit_.state(), kHalfOpen);
  EXPECT_TRUE(circuit_.admit(now_));
}

TEST_F(CircuitTest, RequestsFromBeforeItOpenedDoNotProlongIt) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(circuit_.admit(now_));
  for (int i = 0; i < 3; ++i) circuit_.failed(now_);
  const auto opened = now_;
  now_ += seconds(4);
  circuit_.failed(now_);
  circuit_.failed(now_);
  EXPECT_TRUE(circuit_.admit(opened + seconds(5)));
}

TEST_F(CircuitTest, TellsEachChangeOnce) {
  std::vector<std::pair<CircuitState, CircuitState>> changes;
  circuit_.on_change([&](CircuitState from, CircuitState to) { changes.emplace_back(from, to); });
  fail(3);
  now_ += seconds(5);
  succeed();
  succeed();
  EXPECT_EQ(changes, (std::vector<std::pair<CircuitState, CircuitState>>{{kClosed, kOpen}, {kOpen, kHalfOpen}, {kHalfOpen, kClosed}}));
}

TEST_F(CircuitTest, NeverOpensWhereItIsNotAskedFor) {
  circuit_ = Circuit{};
  fail(1000);
  EXPECT_EQ(circuit_.state(), kClosed);
}

TEST_F(CircuitTest, APassThatWasNotJudgedCountsForNothing) {
  fail(3);
  now_ += seconds(5);
  {
    const CircuitPass first(circuit_, now_);
    const CircuitPass second(circuit_, now_);
    const CircuitPass third(circuit_, now_);
    EXPECT_TRUE(first.admitted() && second.admitted());
    EXPECT_FALSE(third.admitted());
  }
  CircuitPass pass(circuit_, now_);
  pass.answered(now_ + milliseconds(3));
  pass.failed(now_);  // judged already
  EXPECT_EQ(circuit_.state(), kHalfOpen);
  CircuitPass last(circuit_, now_);
  last.answered(now_);
  EXPECT_EQ(circuit_.state(), kClosed);
}

}  // namespace
}  // namespace gatehouse::upstream
