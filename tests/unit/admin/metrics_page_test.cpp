#include "admin/metrics_page.hpp"

#include <gtest/gtest.h>

namespace gatehouse::admin {
namespace {

bool has(const std::string& page, const std::string& line) { return page.find(line + "\n") != std::string::npos; }

TEST(MetricsPage, AddsUpWhatTheWorkersCount) {
  observe::SeriesBudget budget;
  observe::WorkerMetrics first(budget);
  observe::WorkerMetrics second(budget);
  first.connections_accepted.add(3);
  second.connections_accepted.add(4);
  MetricsSources sources;
  sources.workers = {&first, &second};
  sources.version = "1.2.3";
  const std::string page = metrics_page(sources);
  EXPECT_TRUE(has(page, "gatehouse_connections_accepted_total 7")) << page;
  EXPECT_TRUE(has(page, "gatehouse_build_info{version=\"1.2.3\"} 1")) << page;
}

TEST(MetricsPage, ShowsDurationsByRouteMethodAndStatus) {
  observe::SeriesBudget budget;
  observe::WorkerMetrics worker(budget);
  worker.route("/items/{id}").series(Method::kGet, 200).duration.observe(std::chrono::milliseconds(7));
  MetricsSources sources;
  sources.workers = {&worker};
  const std::string page = metrics_page(sources);
  const std::string labels = R"(http_request_method="GET",http_response_status_code="200",http_route="/items/{id}")";
  EXPECT_TRUE(has(page, "http_server_request_duration_seconds_bucket{" + labels + ",le=\"0.005\"} 0")) << page;
  EXPECT_TRUE(has(page, "http_server_request_duration_seconds_bucket{" + labels + ",le=\"0.01\"} 1")) << page;
  EXPECT_TRUE(has(page, "http_server_request_duration_seconds_count{" + labels + "} 1")) << page;
}

TEST(MetricsPage, EscapesWhatALabelMustNotHold) {
  observe::SeriesBudget budget;
  observe::WorkerMetrics worker(budget);
  worker.route("/a\"b\\c\nd\xff\x01").series(Method::kGet, 200).duration.observe(std::chrono::milliseconds(7));
  MetricsSources sources;
  sources.workers = {&worker};
  EXPECT_NE(metrics_page(sources).find("http_route=\"/a\\\"b\\\\c\\nd\xEF\xBF\xBD\xEF\xBF\xBD\""), std::string::npos);
}

TEST(MetricsPage, HasCountersOfOtherParts) {
  MetricsSources sources;
  sources.others.push_back([] { return std::vector<Family>{{"gatehouse_x_total", "X.", true, {{{{"a", "b"}}, 5}}}}; });
  EXPECT_TRUE(has(metrics_page(sources), "gatehouse_x_total{a=\"b\"} 5"));
}

}  // namespace
}  // namespace gatehouse::admin
