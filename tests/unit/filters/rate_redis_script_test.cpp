#include "filters/rate_redis_script.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

RedisReply integers(std::initializer_list<std::int64_t> values) {
  RedisReply reply;
  reply.kind = RedisReply::Kind::kIntegers;
  for (const auto value : values) reply.integers[reply.count++] = value;
  return reply;
}

TEST(RateRedisScript, AQuestionNamesKeysFirstAndThenTheRules) {
  const RateRedisAsk asks[] = {{"k1", RateRule(10, 1s, 20), 2, false}, {"k2", RateRule(3, 1s, 5), 1, true}};
  std::string command;
  append_rate_question(command, "abc", asks);
  EXPECT_EQ(command,
            "*13\r\n$7\r\nEVALSHA\r\n$3\r\nabc\r\n$1\r\n2\r\n$2\r\nk1\r\n$2\r\nk2\r\n"
            "$6\r\n100000\r\n$7\r\n2000000\r\n$1\r\n2\r\n$1\r\n0\r\n"
            "$6\r\n333334\r\n$7\r\n1666670\r\n$1\r\n1\r\n$1\r\n1\r\n");
}

TEST(RateRedisScript, AQuestionMayNameAsManyKeysAsAnAnswerHasRoomFor) {
  const std::vector<RateRedisAsk> asks(RedisReply::kMostIntegers / 2, {"key", RateRule(10, 1s, 20), 7, false});
  std::string command;
  append_rate_question(command, "abc", asks);
  EXPECT_TRUE(command.starts_with("*163\r\n$7\r\nEVALSHA\r\n$3\r\nabc\r\n$2\r\n32\r\n$3\r\nkey\r\n")) << command;
  EXPECT_TRUE(command.ends_with("$1\r\n0\r\n$6\r\n100000\r\n$7\r\n2000000\r\n$1\r\n7\r\n$1\r\n0\r\n")) << command;
}

TEST(RateRedisScript, ReadsAnAnswerForEachPolicy) {
  std::vector<RateRedisAnswer> answers(2);
  ASSERT_TRUE(read_rate_answers(integers({0, 100000, 5, 2000000}), answers));
  EXPECT_EQ(answers[0].over, 0s);
  EXPECT_EQ(answers[0].owed, 100ms);
  EXPECT_EQ(answers[1].over, 5us);
  EXPECT_EQ(answers[1].owed, 2s);
}

TEST(RateRedisScript, RefusesAnswersOfAnotherShape) {
  std::vector<RateRedisAnswer> answers(2);
  EXPECT_FALSE(read_rate_answers(integers({0, 1}), answers));
  EXPECT_FALSE(read_rate_answers(integers({0, 1, 0, -1}), answers));
  EXPECT_FALSE(read_rate_answers(integers({0, 1, 0, INT64_MAX}), answers));
  RedisReply text;
  EXPECT_FALSE(read_rate_answers(text, answers));
}

}  // namespace
}  // namespace gatehouse
