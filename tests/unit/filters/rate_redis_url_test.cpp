#include "filters/rate_redis_url.hpp"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

TEST(RedisUrl, HasSensibleDefaults) {
  const auto address = parse_redis_url("redis://cache");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, "cache");
  EXPECT_EQ(address->port, 6379);
  EXPECT_EQ(address->database, 0U);
  EXPECT_FALSE(address->tls);
  EXPECT_TRUE(address->password.empty());
}

TEST(RedisUrl, ReadsEveryPart) {
  const auto address = parse_redis_url("rediss://app:p%40ss%2Fword@[2001:db8::1]:6380/3");
  ASSERT_TRUE(address);
  EXPECT_TRUE(address->tls);
  EXPECT_EQ(address->user, "app");
  EXPECT_EQ(address->password.reveal(), "p@ss/word");
  EXPECT_EQ(address->host, "2001:db8::1");
  EXPECT_EQ(address->port, 6380);
  EXPECT_EQ(address->database, 3U);
}

TEST(RedisUrl, APasswordNeedsNoUser) {
  const auto address = parse_redis_url("redis://:secret@cache/");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->user, "");
  EXPECT_EQ(address->password.reveal(), "secret");
}

TEST(RedisUrl, ReadsUnixSockets) {
  EXPECT_EQ(parse_redis_url("unix:///run/redis.sock")->unix_path, "/run/redis.sock");
  EXPECT_EQ(parse_redis_url("unix:///run/redis.sock?db=2")->database, 2U);
}

TEST(RedisUrl, RefusesEverythingElse) {
  for (const auto* text : {"",
                           "cache",
                           "http://cache",
                           "redis:cache",
                           "redis://",
                           "redis://:6379",
                           "redis://cache:",
                           "redis://cache:0",
                           "redis://cache:65536",
                           "redis://cache:x",
                           "redis://a:b:c",
                           "redis://[::1",
                           "redis://[::1]x",
                           "redis://cache/x",
                           "redis://cache/-1",
                           "redis://cache/1/2",
                           "redis://cache?db=1",
                           "redis://user@cache",
                           "redis://user:@cache",
                           "redis://u:%zz@cache",
                           "redis://u:%4@cache",
                           "redis://ca che",
                           "unix://run/redis.sock",
                           "unix:///s?db=",
                           "unix:///s?x=1",
                           "unix:///s?db=x"})
    EXPECT_FALSE(parse_redis_url(text)) << text;
}

}  // namespace
}  // namespace gatehouse
