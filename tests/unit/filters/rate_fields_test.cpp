#include "filters/rate_fields.hpp"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

struct Answer {
  Arena arena;
  Response response{arena};
  std::string_view operator[](std::string_view name) const { return response.headers.value(name); }
};

RateStanding standing(std::string_view item, std::string_view name, std::uint64_t limit, std::uint64_t remaining,
                      RateDuration more_after = {}, RateDuration reset_after = {}) {
  return {item, name, limit, remaining, more_after, reset_after};
}

TEST(RateFields, SecondsAreNeverTooShort) {
  EXPECT_EQ(seconds_up(0s), 0U);
  EXPECT_EQ(seconds_up(1ns), 1U);
  EXPECT_EQ(seconds_up(105ms), 1U);
  EXPECT_EQ(seconds_up(1s), 1U);
  EXPECT_EQ(seconds_up(1s + 1ns), 2U);
  EXPECT_EQ(seconds_up(-1s), 0U);
}

TEST(RateFields, PoliciesAreToldInWholeSeconds) {
  EXPECT_EQ(rate_policy_item("burst", 100, 60s), "\"burst\";q=100;w=60");
  EXPECT_EQ(rate_policy_item("daily", 1000, 24h), "\"daily\";q=1000;w=86400");
  EXPECT_EQ(rate_policy_item("a", 100, 250ms), "\"a\";q=400;w=1");
  EXPECT_EQ(rate_policy_item("a", 100, 1500ms), "\"a\";q=133;w=2");
}

TEST(RateFields, EachPolicyIsAnItemOfBothLists) {
  Answer answer;
  const RateStanding standings[] = {standing("\"a\";q=10;w=1", "a", 10, 9, 80ms),
                                    standing("\"b\";q=100;w=60", "b", 100, 0, 30001ms)};
  add_ietf_fields(answer.response, standings);
  EXPECT_EQ(answer["RateLimit-Policy"], "\"a\";q=10;w=1,\"b\";q=100;w=60");
  EXPECT_EQ(answer["RateLimit"], "\"a\";r=9;t=1,\"b\";r=0;t=31");
}

TEST(RateFields, NothingToWaitForIsNotTold) {
  Answer answer;
  const RateStanding standings[] = {standing("\"a\";q=10;w=1", "a", 10, 10)};
  add_ietf_fields(answer.response, standings);
  EXPECT_EQ(answer["RateLimit"], "\"a\";r=10");
}

TEST(RateFields, LargeNumbersFit) {
  Answer answer;
  const RateStanding standings[] = {
      standing("\"a\";q=1;w=1", "a", 1, ~std::uint64_t{0}, RateDuration::max(), RateDuration::max())};
  add_ietf_fields(answer.response, standings);
  add_legacy_fields(answer.response, standings);
  EXPECT_EQ(answer["RateLimit"], "\"a\";r=18446744073709551615;t=9223372037");
  EXPECT_EQ(answer["X-RateLimit-Reset"], "9223372037");
}

TEST(RateFields, WhatTheApplicationSaysStays) {
  Answer answer;
  answer.response.headers.add("RateLimit", "\"default\";r=3;t=9");
  answer.response.headers.add("RateLimit-Policy", "\"default\";q=5;w=10");
  const RateStanding standings[] = {standing("\"a\";q=10;w=1", "a", 10, 9)};
  add_ietf_fields(answer.response, standings);
  EXPECT_EQ(answer["RateLimit"], "\"default\";r=3;t=9");
  EXPECT_EQ(answer.response.headers.count("RateLimit"), 2U);
  EXPECT_EQ(answer.response.headers.count("RateLimit-Policy"), 2U);
}

TEST(RateFields, TheLegacyFieldsTellTheTightestLimit) {
  Answer answer;
  const RateStanding standings[] = {standing("", "a", 10, 9, 0s, 1s), standing("", "b", 100, 5, 0s, 30s),
                                    standing("", "c", 7, 5, 0s, 29s)};
  add_legacy_fields(answer.response, standings);
  EXPECT_EQ(answer["X-RateLimit-Limit"], "100");
  EXPECT_EQ(answer["X-RateLimit-Remaining"], "5");
  EXPECT_EQ(answer["X-RateLimit-Reset"], "30");
}

TEST(RateFields, TheTighterOfOursAndTheApplicationsStands) {
  for (const auto& [applications, expected] :
       {std::pair{"3", "3"}, {"5", "5"}, {"6", "5"}, {"many", "5"}, {"-1", "5"}, {"", "5"}}) {
    Answer answer;
    answer.response.headers.add("X-RateLimit-Remaining", applications);
    answer.response.headers.add("X-RateLimit-Limit", "1000");
    const RateStanding standings[] = {standing("", "a", 10, 5, 0s, 1s)};
    add_legacy_fields(answer.response, standings);
    EXPECT_EQ(answer["X-RateLimit-Remaining"], expected);
    EXPECT_EQ(answer["X-RateLimit-Limit"], std::string_view(applications) == expected ? "1000" : "10") << applications;
    EXPECT_EQ(answer.response.headers.count("X-RateLimit-Limit"), 1U);
  }
}

TEST(RateFields, WithoutPoliciesThereIsNothingToSay) {
  Answer answer;
  add_ietf_fields(answer.response, {});
  add_legacy_fields(answer.response, {});
  EXPECT_EQ(answer.response.headers.size(), 0U);
}

}  // namespace
}  // namespace gatehouse
