#include "config/service_url.hpp"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

ServiceUrl parsed(std::string_view text) {
  ServiceUrl url;
  EXPECT_EQ(parse_service_url(text, url), "") << text;
  return url;
}

TEST(ServiceUrl, IsTakenApart) {
  const ServiceUrl url = parsed("postgresql+asyncpg://app:p%40ss@db.example:6543/shop?sslmode=require&x");
  EXPECT_EQ(url.scheme, "postgresql");
  EXPECT_EQ(url.user, "app");
  EXPECT_EQ(url.password, "p@ss");
  EXPECT_EQ(url.host, "db.example");
  EXPECT_EQ(url.port, 6543);
  EXPECT_EQ(url.path, "/shop");
  EXPECT_EQ(url.parameter("sslmode"), "require");
  EXPECT_EQ(url.parameter("absent"), "");
}

TEST(ServiceUrl, HasNumericAddressesWithoutBrackets) {
  EXPECT_EQ(parsed("redis://[::1]:6379/0").host, "::1");
  EXPECT_EQ(parsed("redis://[::1]:6379/0").port, 6379);
  EXPECT_EQ(parsed("redis://[::1]").port, 0);
}

TEST(ServiceUrl, TakesPasswordsAsTheyWerePasted) {
  EXPECT_EQ(parsed("redis://:a/b@c@cache:1").password, "a/b@c");
  EXPECT_EQ(parsed("redis://:a/b@c@cache:1").host, "cache");
}

TEST(ServiceUrl, OfAWebServerKeepsItsTargetAsWritten) {
  EXPECT_EQ(parsed("http://a:1/x%2fy@z?q=%41#part").target, "/x%2fy@z?q=%41");
  EXPECT_EQ(parsed("http://a").target, "/");
  EXPECT_EQ(parsed("http://a?q").target, "/?q");
}

TEST(ServiceUrl, MayBeAUnixSocket) {
  EXPECT_EQ(parsed("unix:///run/redis.sock?db=1").path, "/run/redis.sock");
  EXPECT_EQ(parsed("unix:///run/redis.sock").host, "");
}

TEST(ServiceUrl, ProblemsRepeatNothingOfIt) {
  for (const char* text :
       {"hunter2", "redis://hunter2:hunter2", "redis://hunter2%zz@h", "redis://h:0", "redis://h:65536", "redis://h:1x",
        "redis://[::1", "redis://[::1]hunter2", "postgres://a,hunter2/x", "redis://h/%", "redis://h/%0",
        "redis://h/%00", "http://a/\r\nhunter2", "http://a/ hunter2", "redis://h?a=%"}) {
    ServiceUrl url;
    const std::string_view problem = parse_service_url(text, url);
    EXPECT_FALSE(problem.empty()) << text;
    EXPECT_EQ(problem.find("hunter2"), std::string_view::npos) << text;
  }
}

TEST(ServiceUrl, CutAnywhereIsTakenOrRefused) {
  const std::string whole = "postgres://u:p%40@[::1]:5432/d%20b?a=%41&b=c";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    ServiceUrl url;
    parse_service_url(std::string_view(whole).substr(0, size), url);
    EXPECT_LE(url.host.size(), whole.size());
  }
}

}  // namespace
}  // namespace gatehouse
