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
  EXPECT_NEAR(histogram.sum(), 11.011, 1e-9);
}

TEST(Histogram, TakesANegativeDurationForNone) {
  Histogram histogram;
  histogram.observe(milliseconds(-5));
  EXPECT_EQ(histogram.bucket(0), 1U);
  EXPECT_EQ(histogram.sum(), 0.0);
}

TEST(Histogram, CountsBytesInTheirOwnBuckets) {
  Histogram histogram(kSizes);
  EXPECT_EQ(histogram.observe(std::uint64_t{64}), 0U);
  EXPECT_EQ(histogram.observe(std::uint64_t{65}), 1U);
  EXPECT_EQ(histogram.observe((std::uint64_t{1} << 32) + 1), kBounds);
  EXPECT_EQ(histogram.sum(), 4294967296.0 + 1 + 64 + 65);
}

TEST(Exemplars, KeepTheLastTraceOfEachBucket) {
  Exemplars exemplars;
  EXPECT_FALSE(exemplars.at(3));
  const auto time = std::chrono::system_clock::time_point(milliseconds(1700000000123));
  exemplars.keep(3, "00000000000000000000000000000001", milliseconds(1), time);
  exemplars.keep(3, "0af7651916cd43dd8448eb211c80319c", milliseconds(60), time);
  const auto kept = exemplars.at(3);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(kept->value, 0.06);
  EXPECT_EQ(kept->time, time);
  EXPECT_FALSE(exemplars.at(4));
}

TEST(Exemplars, TakeNoTraceIdThatIsNone) {
  Exemplars exemplars;
  for (const std::string_view bad : {"", "0af7651916cd43dd8448eb211c80319", "0AF7651916CD43DD8448EB211C80319C", "0af7651916cd43dd8448eb211c80319\""})
    exemplars.keep(0, bad, milliseconds(1), {});
  EXPECT_FALSE(exemplars.at(0));
}

TEST(RouteMetrics, KeepsASeriesForEachMethodAndStatusSeen) {
  SeriesBudget budget;
  RequestSeries overflow;
  RouteMetrics route("/a", budget, overflow);
  route.series(Method::kGet, 200).duration.observe(milliseconds(1));
  route.series(Method::kGet, 200).duration.observe(milliseconds(1));
  route.series(Method::kPost, 429).duration.observe(milliseconds(1));
  std::map<std::pair<Method, int>, std::uint64_t> seen;
  route.for_each([&](Method method, int status, const RequestSeries& series) { seen[{method, status}] = series.duration.bucket(0); });
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ((seen[{Method::kGet, 200}]), 2U);
  EXPECT_EQ((seen[{Method::kPost, 429}]), 1U);
}

TEST(RouteMetrics, CountsUnusualStatusesAsTheFirstOfTheirClassSoThatSeriesStayBounded) {
  SeriesBudget budget;
  RequestSeries overflow;
  RouteMetrics route("/a", budget, overflow);
  for (int status = -5; status < 1200; ++status) route.series(Method::kGet, status).duration.observe(milliseconds(1));
  std::size_t series = 0;
  route.for_each([&](Method, int, const RequestSeries&) { ++series; });
  EXPECT_LE(series, 64U);
}

TEST(SeriesBudget, IsOneForAllWorkersAndWhatIsBeyondIsCountedTogether) {
  SeriesBudget budget(2);
  WorkerMetrics first(budget);
  WorkerMetrics second(budget);
  for (WorkerMetrics* worker : {&first, &second})
    for (const int status : {200, 404, 500}) worker->route("/a").series(Method::kGet, status).duration.observe(milliseconds(1));
  for (const WorkerMetrics* worker : {&first, &second}) {
    std::vector<int> statuses;
    worker->for_each_route([&](const RouteMetrics& route) { route.for_each([&](Method, int status, const RequestSeries&) { statuses.push_back(status); }); });
    EXPECT_EQ(statuses, (std::vector<int>{200, 404}));
    EXPECT_EQ(worker->overflow.duration.bucket(0), 1U);
  }
  EXPECT_EQ(budget.used(), 2U);
}

TEST(WorkerMetrics, HaveOnePlaceForEachRouteAndOneForAllBeyondTheMost) {
  SeriesBudget budget;
  WorkerMetrics worker(budget);
  EXPECT_EQ(&worker.route("/a"), &worker.route("/a"));
  EXPECT_NE(&worker.route("/a"), &worker.route("/b"));
  for (std::size_t i = 0; i < WorkerMetrics::kMostRoutes + 10; ++i) worker.route("/" + std::to_string(i));
  std::size_t routes = 0;
  worker.for_each_route([&](const RouteMetrics&) { ++routes; });
  EXPECT_EQ(routes, WorkerMetrics::kMostRoutes);
  EXPECT_EQ(worker.route("/one more").route(), "other");
  EXPECT_EQ(worker.route("/a").route(), "/a");
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
