#include "observe/metrics.hpp"

#include <gtest/gtest.h>
#include <map>

namespace gatehouse::observe {
namespace {

using std::chrono::milliseconds;

TEST(Histogram, PutsADurationIntoTheBucketWhoseBoundItDoesNotExceed) {
  Histogram histogram;
  histogram.observe(milliseconds(5));
  histogram.observe(milliseconds(6));
  histogram.observe(std::chrono::seconds(11));
  EXPECT_EQ(histogram.bucket(0), 1U);
  EXPECT_EQ(histogram.bucket(1), 1U);
  EXPECT_EQ(histogram.bucket(14), 1U);
  EXPECT_NEAR(histogram.sum_seconds(), 11.011, 1e-9);
}

TEST(Histogram, TakesANegativeDurationForNone) {
  Histogram histogram;
  histogram.observe(milliseconds(-5));
  EXPECT_EQ(histogram.bucket(0), 1U);
  EXPECT_EQ(histogram.sum_seconds(), 0.0);
}

TEST(RouteMetrics, KeepsASeriesForEachMethodAndStatusSeen) {
  RouteMetrics route("/a");
  route.count(Method::kGet, 200, milliseconds(1));
  route.count(Method::kGet, 200, milliseconds(1));
  route.count(Method::kPost, 429, milliseconds(1));
  std::map<std::pair<Method, int>, std::uint64_t> seen;
  route.for_each([&](Method method, int status, const Histogram& histogram) { seen[{method, status}] = histogram.bucket(0); });
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ((seen[{Method::kGet, 200}]), 2U);
  EXPECT_EQ((seen[{Method::kPost, 429}]), 1U);
}

TEST(RouteMetrics, CountsUnusualStatusesAsTheFirstOfTheirClassSoThatSeriesStayBounded) {
  RouteMetrics route("/a");
  for (int status = -5; status < 1200; ++status) route.count(Method::kGet, status, milliseconds(1));
  std::size_t series = 0;
  route.for_each([&](Method, int, const Histogram&) { ++series; });
  EXPECT_LE(series, 64U);
}

TEST(ReasonCounters, AreBounded) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made;
    for (int i = 0; i < 300; ++i) made.push_back("reason_" + std::to_string(i));
    return made;
  }();
  ReasonCounters counters;
  for (const std::string& name : names) counters.add(name);
  std::uint64_t total = 0;
  std::uint64_t other = 0;
  counters.for_each([&](std::string_view reason, std::uint64_t count) {
    total += count;
    if (reason == "other") other = count;
  });
  EXPECT_EQ(total, 300U);
  EXPECT_EQ(other, 300U - ReasonCounters::kMost + 1);
}

}  // namespace
}  // namespace gatehouse::observe
