#include "observe/health_board.hpp"

#include <gtest/gtest.h>

namespace gatehouse::observe {
namespace {

using std::chrono::milliseconds;

TEST(HealthBoard, FailsUntilACriticalCheckHasAnswered) {
  HealthBoard board;
  const auto check = board.add("upstream", "tcp", true);
  EXPECT_EQ(board.overall(), Health::kFail);
  board.report(check, true, milliseconds(1), "");
  EXPECT_EQ(board.overall(), Health::kPass);
}

TEST(HealthBoard, WarnsWhenOnlyAnUncriticalCheckFails) {
  HealthBoard board;
  const auto app = board.add("upstream", "tcp", true);
  const auto cache = board.add("cache", "redis", false);
  board.report(app, true, milliseconds(1), "");
  board.report(cache, false, milliseconds(1), "refused");
  EXPECT_EQ(board.overall(), Health::kWarn);
  EXPECT_EQ(board.results()[1].error, "refused");
}

TEST(HealthBoard, TellsWhenAVerdictChanges) {
  HealthBoard board;
  const auto check = board.add("upstream", "tcp", true);
  EXPECT_TRUE(board.report(check, false, milliseconds(1), "down"));
  EXPECT_FALSE(board.report(check, false, milliseconds(1), "down"));
  EXPECT_TRUE(board.report(check, true, milliseconds(1), ""));
  EXPECT_EQ(board.results()[0].error, "");
}

TEST(HealthBoard, KnowsSinceWhenACheckIsAsItIs) {
  HealthBoard board;
  const auto check = board.add("upstream", "tcp", true);
  board.report(check, true, milliseconds(1), "");
  const auto since = board.results()[0].since;
  board.report(check, true, milliseconds(2), "");
  EXPECT_EQ(board.results()[0].since, since);
  EXPECT_EQ(board.results()[0].latency, milliseconds(2));
}

}  // namespace
}  // namespace gatehouse::observe
