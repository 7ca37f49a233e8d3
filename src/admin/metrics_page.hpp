// What all workers count, added up, as one page. Called by the admin worker; reads counters that others write.
#pragma once

#include "admin/exposition.hpp"
#include "observe/health_board.hpp"
#include "observe/metrics.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gatehouse::admin {

// A number that somebody else counts: one line of the page.
struct Sample {
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};
struct Family {
  std::string name;
  std::string help;
  bool counter = true;  // false: a gauge
  std::vector<Sample> samples;
};

struct MetricsSources {
  std::vector<const observe::WorkerMetrics*> workers;
  const observe::HealthBoard* health = nullptr;
  const std::atomic<bool>* draining = nullptr;
  std::string version;
  // Counters of other parts (log queue, limiters, certificates), asked at each scrape; must be safe to call from the admin worker.
  std::vector<std::function<std::vector<Family>()>> others;
};

std::string metrics_page(const MetricsSources& sources, MetricsFormat format = MetricsFormat::kText);

}  // namespace gatehouse::admin
