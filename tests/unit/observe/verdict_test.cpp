#include "observe/verdict.hpp"

#include <gtest/gtest.h>

namespace gatehouse::observe {
namespace {

TEST(Verdict, IsUnhealthyUntilEnoughGoodAnswersCame) {
  Verdict verdict(3, 2);
  EXPECT_FALSE(verdict.take(true));
  EXPECT_FALSE(verdict.take(true));
  EXPECT_TRUE(verdict.take(true));
}

TEST(Verdict, ABadAnswerStartsTheCountOfGoodOnesAnew) {
  Verdict verdict(2, 2);
  EXPECT_FALSE(verdict.take(true));
  EXPECT_FALSE(verdict.take(false));
  EXPECT_FALSE(verdict.take(true));
  EXPECT_TRUE(verdict.take(true));
}

TEST(Verdict, OneBadAnswerDoesNotChangeIt) {
  Verdict verdict(1, 2);
  EXPECT_TRUE(verdict.take(true));
  EXPECT_TRUE(verdict.take(false));
  EXPECT_TRUE(verdict.take(true));
  EXPECT_TRUE(verdict.take(false));
}

TEST(Verdict, FallsAfterEnoughBadAnswersInARow) {
  Verdict verdict(1, 3);
  verdict.take(true);
  EXPECT_TRUE(verdict.take(false));
  EXPECT_TRUE(verdict.take(false));
  EXPECT_FALSE(verdict.take(false));
  EXPECT_TRUE(verdict.take(true));
}

TEST(Verdict, RemembersThatAllWasWellOnce) {
  Verdict verdict(1, 1);
  verdict.take(false);
  EXPECT_FALSE(verdict.ever_healthy());
  verdict.take(true);
  verdict.take(false);
  EXPECT_TRUE(verdict.ever_healthy());
}

}  // namespace
}  // namespace gatehouse::observe
