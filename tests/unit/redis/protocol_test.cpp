#include "redis/protocol.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace gatehouse {
namespace {

using namespace std::string_literals;
using Kind = RedisReply::Kind;

struct Read {
  std::vector<RedisReply> replies;
  error_code error;
  std::size_t taken = 0;  // bytes until the error
};

// Everything that is read of bytes that come in pieces of that size.
Read read(std::string_view bytes, std::size_t piece) {
  RedisReplies replies;
  Read read;
  while (!bytes.empty()) {
    const auto now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    read.error = replies.feed(now);
    if (read.error) return read;
    read.taken += now.size();
    for (;;) {
      const auto reply = replies.next();
      if (!reply) {
        read.error = reply.error();
        return read;
      }
      if (*reply == nullptr) break;
      read.replies.push_back(**reply);
    }
  }
  return read;
}

// One reply, whole and byte by byte, whatever follows it; no part of it is one.
RedisReply parse(const std::string& bytes) {
  const auto whole = read(bytes + ":1\r\n", 4096);
  const auto slow = read(bytes, 1);
  EXPECT_FALSE(whole.error || slow.error) << bytes;
  EXPECT_EQ(whole.replies.size(), 2U) << bytes;
  EXPECT_EQ(slow.replies.size(), 1U) << bytes;
  EXPECT_TRUE(read(bytes.substr(0, bytes.size() - 1), 4096).replies.empty()) << bytes;
  if (whole.replies.empty() || slow.replies.empty()) return {};
  EXPECT_EQ(whole.replies[0].text, slow.replies[0].text);
  EXPECT_EQ(whole.replies[0].count, slow.replies[0].count);
  return whole.replies[0];
}

std::vector<std::int64_t> integers(const RedisReply& reply) {
  return {reply.integers.begin(), reply.integers.begin() + static_cast<std::ptrdiff_t>(reply.count)};
}

TEST(RedisReplies, AreTexts) {
  EXPECT_EQ(parse("+OK\r\n").text, "OK");
  EXPECT_EQ(parse("$3\r\na\r\n\r\n").text, "a\r\n");
  EXPECT_EQ(parse("$0\r\n\r\n").text, "");
  EXPECT_EQ(parse("+\r\n").kind, Kind::kText);
  EXPECT_EQ(parse("+" + std::string(RedisReply::kMostText, 'x') + "\r\n").text.size(), RedisReply::kMostText);
}

TEST(RedisReplies, AreIntegers) {
  EXPECT_EQ(integers(parse(":-5\r\n")), std::vector<std::int64_t>{-5});
  EXPECT_EQ(integers(parse("*3\r\n:1\r\n:22\r\n:9223372036854775807\r\n")),
            (std::vector<std::int64_t>{1, 22, 9223372036854775807}));
  EXPECT_EQ(integers(parse("*0\r\n")), std::vector<std::int64_t>{});
  std::string most = "*64\r\n";
  for (int i = 0; i < 64; ++i) most += ":7\r\n";
  EXPECT_EQ(integers(parse(most)), std::vector<std::int64_t>(64, 7));
}

TEST(RedisReplies, OfAnErrorOnlyTheCodeMayBeShown) {
  const auto reply = parse("-ERR unknown command 'AUTH', with args beginning with: 'hunter2'\r\n");
  EXPECT_EQ(reply.kind, Kind::kError);
  EXPECT_EQ(reply.error_code(), "ERR");
  EXPECT_EQ(parse("-NOSCRIPT\r\n").error_code(), "NOSCRIPT");
  EXPECT_EQ(parse("-hunter2 is no password\r\n").error_code(), "an error");
  EXPECT_EQ(parse("-" + std::string(33, 'A') + "\r\n").error_code(), "an error");
  EXPECT_EQ(parse("-\r\n").error_code(), "an error");
}

TEST(RedisReplies, NothingOfOneIsLeftInTheNext) {
  const auto all = read("+OK\r\n*2\r\n:1\r\n:2\r\n-ERR\r\n:3\r\n", 4096).replies;
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[1].text, "");
  EXPECT_EQ(all[2].count, 0U);
  EXPECT_EQ(integers(all[3]), std::vector<std::int64_t>{3});
}

TEST(RedisReplies, RefuseWhatNobodyAskedFor) {
  for (const std::string bytes :
       {"\r\n", "?\r\n", ":\r\n", ":x\r\n", ":1 \r\n", ":99999999999999999999\r\n", "$-1\r\n", "*-1\r\n", "*65\r\n",
        "*999999999999\r\n", "*2147483647\r\n", "*4294967297\r\n", "*1\r\n+a\r\n", "*1\r\n*1\r\n:1\r\n", "*1\r\n*0\r\n",
        "*1\r\n$1\r\na\r\n", "*1\r\n$-1\r\n", "*1\r\n*-1\r\n", "\n", "_\r\n", ",1.5\r\n", "#t\r\n", "*1\r\n#t\r\n",
        "*1\r\n,1\r\n", "%1\r\n:1\r\n:1\r\n", "~1\r\n:1\r\n", ">1\r\n:1\r\n", "(1\r\n", "=5\r\ntxt:a\r\n",
        "HTTP/1.1 400 Bad Request\r\n"}) {
    EXPECT_EQ(read(bytes, 4096).error, errc::malformed) << bytes;
    EXPECT_EQ(read(bytes, 1).error, errc::malformed) << bytes;
  }
  EXPECT_EQ(read("+" + std::string(RedisReply::kMostText + 1, 'x') + "\r\n", 4096).error, errc::malformed);
}

TEST(RedisReplies, WhatHasNoEndIsGivenUp) {
  for (const auto& begin : {"+"s, "-"s, ":"s, "$1"s, "*1"s, "*2\r\n:1\r\n:"s, "$2147483647\r\n"s,
                            "$9223372036854775807\r\n"s, "+OK\n"s}) {
    const auto endless = begin + std::string(1 << 20, '1');
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, std::size_t{16384}}) {
      const auto given_up = read(endless, piece);
      EXPECT_TRUE(given_up.error == errc::too_large || given_up.error == errc::malformed) << begin;
      EXPECT_LE(given_up.taken, RedisReplies::kMostUnread + begin.size() + piece) << begin;
    }
  }
}

TEST(RedisReplies, NestingHasNoDepth) {
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "*1\r\n";
  EXPECT_EQ(read(deep, 4096).error, errc::malformed);
  EXPECT_LE(read(deep, 1).taken, 8U);
}

TEST(RedisReplies, NothingIsReadAfterAMistake) {
  RedisReplies replies;
  ASSERT_FALSE(replies.feed("?\r\n"));
  EXPECT_FALSE(replies.next());
  EXPECT_TRUE(replies.feed("+OK\r\n"));
  EXPECT_FALSE(replies.next());
}

TEST(RedisCommand, WordsMayHoldAnything) {
  std::string command = "+";
  const std::string_view words[] = {"AUTH", "a b\r\n", {}, std::string_view("\0", 1)};
  append_redis_command(command, words);
  EXPECT_EQ(command, "+*4\r\n$4\r\nAUTH\r\n$5\r\na b\r\n\r\n$0\r\n\r\n$1\r\n\0\r\n"s);
}

}  // namespace
}  // namespace gatehouse
