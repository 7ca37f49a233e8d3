// Writes metric families in Prometheus' text format 0.0.4 or in OpenMetrics 1.0. Whatever a label holds, the page stays valid UTF-8 and
// one bad byte costs no other metric. A value on the stack of whoever answers a scrape.
#pragma once

#include "observe/histogram.hpp"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::admin {

enum class MetricsFormat : std::uint8_t { kText, kOpenMetrics };
enum class MetricType : std::uint8_t { kCounter, kGauge, kInfo, kHistogram };

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

// Histograms of one series from several workers, added up.
struct HistogramSum {
  std::array<std::uint64_t, observe::kBounds + 1> counts{};
  double sum = 0;
  const observe::Buckets* buckets = nullptr;  // null: nothing was added
  std::array<std::optional<observe::Exemplar>, observe::kBounds + 1> exemplars{};

  void add(const observe::Histogram& histogram);
  // Keeps the youngest of each bucket.
  void add(const observe::Exemplars& seen);
  std::uint64_t count() const noexcept;
};

class Exposition {
 public:
  explicit Exposition(MetricsFormat format) : format_(format) {}

  // The family of what follows; told once its first sample comes. The name ends in `_total` for a counter and in `_info` for an info.
  void family(std::string_view name, std::string_view help, MetricType type);
  void sample(const Labels& labels, double value);
  void histogram(const Labels& labels, const HistogramSum& sum);
  // The page.
  std::string finish();

 private:
  void announce();
  void labels(std::string_view text, std::string_view more);
  const std::vector<std::string>& bounds(const observe::Buckets& buckets);
  void number(double value);
  void exemplar(const observe::Exemplar& exemplar);

  MetricsFormat format_;
  std::string out_;
  std::string name_;
  std::string help_;
  MetricType type_ = MetricType::kGauge;
  bool announced_ = true;
  std::map<const observe::Buckets*, std::vector<std::string>> bounds_;  // as labels: they are the same for every series
};

}  // namespace gatehouse::admin
