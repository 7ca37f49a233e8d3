#include "filters/rate_filters.hpp"

#include "filters/rate_limit.hpp"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

RatePolicy policy(std::string name, std::optional<std::string_view> url = std::nullopt) {
  RatePolicy policy;
  policy.name = std::move(name);
  policy.quota = 1;
  policy.window = std::chrono::seconds(1);
  if (url) {
    policy.store.emplace();
    policy.store->address = parse_redis_url(*url).value();
  }
  return policy;
}

TEST(RateFilters, ThereIsOneForEachPlaceWhereCountsAreKept) {
  RateTables tables;
  RedisLinks links;
  const auto filters = make_rate_limits(
      {policy("a", "redis://one"), policy("b"), policy("c", "redis://two"), policy("d"), policy("e", "redis://one")},
      tables, links);
  ASSERT_EQ(filters.size(), 3U);
  EXPECT_NE(dynamic_cast<const RateLimit*>(filters[0].get()), nullptr);
  EXPECT_NE(dynamic_cast<const RateStoreRedis*>(filters[1].get()), nullptr);
  EXPECT_NE(dynamic_cast<const RateStoreRedis*>(filters[2].get()), nullptr);
}

TEST(RateFilters, NoPoliciesNeedNoFilter) {
  RateTables tables;
  RedisLinks links;
  EXPECT_TRUE(make_rate_limits({}, tables, links).empty());
}

TEST(RateFilters, FiltersOfAWorkerShareTheirLinks) {
  RedisLinks links;
  const auto one = links.obtain(*policy("a", "redis://one").store);
  EXPECT_EQ(links.obtain(*policy("b", "redis://one").store), one);
  EXPECT_NE(links.obtain(*policy("c", "redis://one/1").store), one);
}

}  // namespace
}  // namespace gatehouse
