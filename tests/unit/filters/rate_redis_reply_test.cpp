#include "filters/rate_redis_reply.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gatehouse {
namespace {

using Kind = RedisReply::Kind;

struct Read {
  Kind kind;
  std::string text;
  std::vector<std::int64_t> integers;
};

// Reads one reply, and checks that no part of it is one and that what follows does not matter.
Read parse(const std::string& bytes) {
  RedisReply reply;
  for (std::size_t given = 0; given < bytes.size(); ++given) {
    const auto part = parse_redis_reply(std::string_view(bytes).substr(0, given), reply);
    EXPECT_TRUE(part && *part == 0) << bytes << " at " << given;
  }
  const auto with_more = bytes + ":1\r\n";
  const auto size = parse_redis_reply(with_more, reply);
  EXPECT_TRUE(size && *size == bytes.size()) << bytes;
  return {reply.kind,
          std::string(reply.text),
          {reply.integers.begin(), reply.integers.begin() + static_cast<std::ptrdiff_t>(reply.count)}};
}

TEST(RedisReply, ReadsTexts) {
  EXPECT_EQ(parse("+OK\r\n").text, "OK");
  EXPECT_EQ(parse("$3\r\na\r\n\r\n").text, "a\r\n");
  EXPECT_EQ(parse("$0\r\n\r\n").text, "");
  EXPECT_EQ(parse("+\r\n").kind, Kind::kText);
}

TEST(RedisReply, KeepsOnlyTheCodeOfAnError) {
  const auto reply = parse("-ERR unknown command 'AUTH', with args beginning with: 'hunter2'\r\n");
  EXPECT_EQ(reply.kind, Kind::kError);
  EXPECT_EQ(reply.text, "ERR");
  EXPECT_EQ(parse("-NOSCRIPT\r\n").text, "NOSCRIPT");
}

TEST(RedisReply, ReadsIntegers) {
  EXPECT_EQ(parse(":-5\r\n").integers, std::vector<std::int64_t>{-5});
  EXPECT_EQ(parse("*3\r\n:1\r\n:22\r\n:9223372036854775807\r\n").integers,
            (std::vector<std::int64_t>{1, 22, 9223372036854775807}));
  EXPECT_EQ(parse("*0\r\n").integers, std::vector<std::int64_t>{});
}

TEST(RedisReply, RefusesWhatNobodyAskedFor) {
  RedisReply reply;
  for (const std::string bytes :
       {"\r\n", "?\r\n", ":\r\n", ":x\r\n", ":1 \r\n", ":99999999999999999999\r\n", "$-1\r\n", "*-1\r\n", "*65\r\n",
        "*999999999999\r\n", "$999999999\r\n", "$1\r\nab\r\n", "*1\r\n+a\r\n", "*1\r\n*1\r\n:1\r\n",
        "*1\r\n$1\r\na\r\n", "+OK\n", "\n", "_\r\n", "HTTP/1.1 400 Bad Request\r\n"})
    EXPECT_FALSE(parse_redis_reply(bytes, reply)) << bytes;
  EXPECT_FALSE(parse_redis_reply("+" + std::string(5000, 'x'), reply));
}

}  // namespace
}  // namespace gatehouse
