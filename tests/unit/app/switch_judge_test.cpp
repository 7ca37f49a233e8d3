#include "app/switch_judge.hpp"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using std::chrono::milliseconds;

PoolCounts counts(std::uint64_t requests, std::uint64_t failures) { return {requests, failures, 0, 0, {}}; }

PoolCounts lasting(std::initializer_list<std::pair<std::size_t, std::uint64_t>> buckets) {
  PoolCounts made;
  for (const auto& [bucket, answers] : buckets) {
    made.durations[bucket] = answers;
    made.requests += answers;
  }
  return made;
}

SwitchJudge judge_of_errors(double ratio) { return SwitchJudge({ratio, std::nullopt, 20}); }
SwitchJudge judge_of_p95(milliseconds most) { return SwitchJudge({std::nullopt, most, 20}); }

double milliseconds_of(const PoolCounts& counted) { return std::chrono::duration<double, std::milli>(counted.p95().value()).count(); }

TEST(PoolCounts, SinceAStartHoldsWhatCameAfterIt) {
  PoolCounts start = lasting({{0, 10}, {3, 5}});
  start.failures = 2;
  PoolCounts now = lasting({{0, 30}, {3, 6}, {observe::kBounds, 1}});
  now.failures = 7;
  const PoolCounts passed = now.since(start);
  EXPECT_EQ(passed.requests, 22U);
  EXPECT_EQ(passed.failures, 5U);
  EXPECT_EQ(passed.durations[0], 20U);
  EXPECT_EQ(passed.durations[3], 1U);
  EXPECT_EQ(passed.durations[observe::kBounds], 1U);
}

TEST(PoolCounts, SinceNeverFallsBelowNothing) {
  const PoolCounts passed = counts(1, 0).since(counts(5, 3));
  EXPECT_EQ(passed.requests, 0U);
  EXPECT_EQ(passed.failures, 0U);
}

TEST(PoolCounts, ErrorRatioOfNothingIsZero) { EXPECT_EQ(PoolCounts{}.error_ratio(), 0); }

TEST(PoolCounts, ErrorRatioIsThePartThatFailed) { EXPECT_DOUBLE_EQ(counts(200, 3).error_ratio(), 0.015); }

TEST(PoolCounts, P95OfNothingIsNothing) { EXPECT_FALSE(PoolCounts{}.p95().has_value()); }

TEST(PoolCounts, P95IsInterpolatedInItsBucket) {
  // All in 0 to 5 ms.
  EXPECT_DOUBLE_EQ(milliseconds_of(lasting({{0, 100}})), 4.75);
  // 90 up to 5 ms, 10 in 50 to 75 ms: the 95th is in the middle of these.
  EXPECT_DOUBLE_EQ(milliseconds_of(lasting({{0, 90}, {4, 10}})), 62.5);
}

TEST(PoolCounts, P95OnTheEdgeOfABucketIsItsBound) {
  EXPECT_DOUBLE_EQ(milliseconds_of(lasting({{0, 95}, {6, 5}})), 5);
}

TEST(PoolCounts, P95AboveAllBoundsIsTheLastOne) {
  EXPECT_DOUBLE_EQ(milliseconds_of(lasting({{observe::kBounds, 3}})), 10000);
  EXPECT_DOUBLE_EQ(milliseconds_of(lasting({{0, 90}, {observe::kBounds, 10}})), 10000);
}

TEST(SwitchJudge, LetsAGoodTargetGoOn) {
  EXPECT_FALSE(judge_of_errors(0.01).problem(counts(1000, 10), counts(1000, 0)));
}

TEST(SwitchJudge, RefusesAnErrorRatioAboveTheLimitAndSaysBoth) {
  EXPECT_EQ(judge_of_errors(0.01).problem(counts(1000, 98), counts(9000, 0)), "98 of 1000 requests failed (9.8 %), at most 1 % may");
}

TEST(SwitchJudge, RefusesTheFirstFailureWhereNoneIsAllowed) {
  EXPECT_TRUE(judge_of_errors(0).problem(counts(5000, 1), counts(5000, 0)));
  EXPECT_FALSE(judge_of_errors(0).problem(counts(5000, 0), counts(5000, 0)));
}

TEST(SwitchJudge, DecidesNothingByFewRequests) {
  const SwitchJudge judge({0.01, milliseconds(1), 20});
  PoolCounts few = lasting({{10, 19}});
  few.failures = 19;
  EXPECT_FALSE(judge.problem(few, counts(1000, 0)));
  EXPECT_TRUE(judge.saw_too_few(few));
  few.requests = 20;
  EXPECT_TRUE(judge.problem(few, counts(1000, 0)));
  EXPECT_FALSE(judge.saw_too_few(few));
}

TEST(SwitchJudge, RefusesAP95AboveTheLimitAndSaysBoth) {
  EXPECT_EQ(judge_of_p95(milliseconds(300)).problem(lasting({{0, 50}, {8, 50}}), {}),
            "its 95th percentile is about 725 ms, at most 300 ms may be");
  EXPECT_FALSE(judge_of_p95(milliseconds(750)).problem(lasting({{0, 50}, {8, 50}}), {}));
}

TEST(SwitchJudge, TakesRequestsThatWaitTooLongForSlowAnswers) {
  EXPECT_FALSE(judge_of_p95(milliseconds(300)).problem(PoolCounts{}.with_overdue(19), {}));
  EXPECT_EQ(judge_of_p95(milliseconds(300)).problem(PoolCounts{}.with_overdue(20), {}),
            "its 95th percentile is 10 s or more, at most 300 ms may be");
  EXPECT_FALSE(judge_of_p95(milliseconds(300)).problem(lasting({{0, 100}}).with_overdue(5), {}));
}

TEST(SwitchJudge, RefusesATargetFarWorseThanItsBaseWithoutAnyLimit) {
  const SwitchJudge judge{SwitchLimits{}};
  EXPECT_EQ(judge.problem(counts(100, 10), counts(900, 0)), "10 of 100 requests failed (10 %), far more than the 0 % of the other pool");
  EXPECT_TRUE(judge.problem(counts(1000, 400), counts(1000, 300)));
}

TEST(SwitchJudge, ForgivesWhatTheBaseDoesAsWell) {
  const SwitchJudge judge{SwitchLimits{}};
  EXPECT_FALSE(judge.problem(counts(1000, 300), counts(1000, 290)));
  // Surely more, but little more.
  EXPECT_FALSE(judge.problem(counts(100000, 4000), counts(100000, 0)));
}

TEST(SwitchJudge, ForgivesWhatMayBeChance) {
  const SwitchJudge judge{SwitchLimits{}};
  EXPECT_FALSE(judge.problem(counts(20, 2), counts(20, 0)));
  EXPECT_FALSE(judge.problem(counts(20, 20), counts(20, 20)));
}

TEST(SwitchJudge, ComparesWithNoBaseThatHadTooFewRequests) {
  const SwitchJudge judge{SwitchLimits{}};
  EXPECT_FALSE(judge.problem(counts(100, 100), counts(19, 0)));
  EXPECT_TRUE(judge.problem(counts(100, 100), counts(20, 0)));
}

TEST(SwitchWords, TellSmallPartsAndShortTimesApartFromNothing) {
  EXPECT_EQ(percent_text(0), "0 %");
  EXPECT_EQ(percent_text(0.01), "1 %");
  EXPECT_EQ(percent_text(0.098), "9.8 %");
  EXPECT_EQ(percent_text(0.0002), "0.02 %");
  EXPECT_EQ(latency_text(std::chrono::microseconds(1500)), "1.5 ms");
  EXPECT_EQ(latency_text(milliseconds(300)), "300 ms");
  EXPECT_EQ(latency_text(milliseconds(10000)), "10 s");
}

}  // namespace
}  // namespace gatehouse
