#include "admin/exposition.hpp"

#include <gtest/gtest.h>
#include <limits>

namespace gatehouse::admin {
namespace {

std::string page(MetricsFormat format) {
  observe::Histogram histogram;
  observe::Exemplars exemplars;
  exemplars.keep(histogram.observe(std::chrono::milliseconds(7)), "0af7651916cd43dd8448eb211c80319c", std::chrono::milliseconds(7),
                 std::chrono::system_clock::time_point(std::chrono::milliseconds(1700000000123)));
  HistogramSum sum;
  sum.add(histogram);
  sum.add(exemplars);
  Exposition page(format);
  page.family("a_total", "Says \"so\".", MetricType::kCounter);
  page.sample({{"x", "1"}}, 3);
  page.family("empty", "Nothing.", MetricType::kGauge);
  page.family("b_info", "What.", MetricType::kInfo);
  page.sample({{"version", "1"}}, 1);
  page.family("c_seconds", "Times.", MetricType::kHistogram);
  page.histogram({}, sum);
  return page.finish();
}

bool has(const std::string& page, const std::string& line) { return ("\n" + page).find("\n" + line + "\n") != std::string::npos; }

TEST(Exposition, WritesTheTextFormat) {
  const std::string text = page(MetricsFormat::kText);
  EXPECT_TRUE(text.starts_with("# HELP a_total Says \"so\".\n# TYPE a_total counter\na_total{x=\"1\"} 3\n"
                               "# HELP b_info What.\n# TYPE b_info gauge\nb_info{version=\"1\"} 1\n"
                               "# HELP c_seconds Times.\n# TYPE c_seconds histogram\nc_seconds_bucket{le=\"0.005\"} 0\n"
                               "c_seconds_bucket{le=\"0.01\"} 1\n"))
      << text;
  EXPECT_TRUE(has(text, "c_seconds_bucket{le=\"10.0\"} 1")) << text;
  EXPECT_TRUE(text.ends_with("c_seconds_bucket{le=\"+Inf\"} 1\nc_seconds_sum 0.007\nc_seconds_count 1\n")) << text;
}

TEST(Exposition, WritesOpenMetricsWithExemplarsAndUnits) {
  const std::string text = page(MetricsFormat::kOpenMetrics);
  EXPECT_TRUE(text.starts_with("# HELP a Says \\\"so\\\".\n# TYPE a counter\na_total{x=\"1\"} 3\n")) << text;
  EXPECT_TRUE(has(text, "# TYPE b info")) << text;
  EXPECT_TRUE(has(text, "# UNIT c_seconds seconds")) << text;
  EXPECT_TRUE(has(text, "c_seconds_bucket{le=\"0.01\"} 1 # {trace_id=\"0af7651916cd43dd8448eb211c80319c\"} 0.007 1700000000.123")) << text;
  EXPECT_TRUE(text.ends_with("\n# EOF\n"));
}

TEST(Exposition, TellsNothingOfAFamilyWithoutSamples) { EXPECT_EQ(page(MetricsFormat::kText).find("empty"), std::string::npos); }

TEST(Exposition, StaysValidWhateverALabelHolds) {
  const std::pair<std::string, std::string> cases[] = {
      {"a\"b\\c\nd", "a\\\"b\\\\c\\nd"},
      {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
      {"\xff", "\xef\xbf\xbd"},                              // never valid
      {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},              // overlong
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},  // a surrogate
      {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},              // cut off
      {"\x01\x7f\r", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {std::string("a\0b", 3), "a\xef\xbf\xbd" "b"},
  };
  for (const auto& [given, told] : cases) {
    Exposition page(MetricsFormat::kText);
    page.family("a", "A.", MetricType::kGauge);
    page.sample({{"x", given}}, 1);
    EXPECT_TRUE(page.finish().ends_with("\na{x=\"" + told + "\"} 1\n")) << told;
  }
}

TEST(Exposition, WritesWholeNumbersAsSuchAndAllOthersExactly) {
  const std::pair<double, std::string> cases[] = {{0, "0"},      {1000000, "1000000"}, {9007199254740991, "9007199254740991"},
                                                  {0.1, "0.1"},  {-2, "-2"},           {1.7e300, "1.7e+300"},
                                                  {std::numeric_limits<double>::infinity(), "+Inf"}, {std::numeric_limits<double>::quiet_NaN(), "NaN"}};
  for (const auto& [value, told] : cases) {
    Exposition page(MetricsFormat::kText);
    page.family("a", "A.", MetricType::kGauge);
    page.sample({}, value);
    EXPECT_TRUE(page.finish().ends_with("\na " + told + "\n")) << told;
  }
}

TEST(HistogramSum, AddsWorkersUpAndKeepsTheYoungestExemplar) {
  observe::Histogram histogram;
  histogram.observe(std::chrono::milliseconds(1));
  observe::Exemplars older;
  observe::Exemplars younger;
  using std::chrono::system_clock;
  older.keep(0, "00000000000000000000000000000001", std::chrono::milliseconds(1), system_clock::time_point(std::chrono::seconds(1)));
  younger.keep(0, "00000000000000000000000000000002", std::chrono::milliseconds(1), system_clock::time_point(std::chrono::seconds(2)));
  HistogramSum sum;
  for (const auto* seen : {&younger, &older}) {
    sum.add(histogram);
    sum.add(*seen);
  }
  EXPECT_EQ(sum.count(), 2U);
  EXPECT_EQ(sum.exemplars[0]->trace_id, "00000000000000000000000000000002");
}

}  // namespace
}  // namespace gatehouse::admin
