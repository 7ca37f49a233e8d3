// The Prometheus exposition (text format 0.0.4) of what all workers count. Called by the admin worker; reads counters that others
// write.
#pragma once

#include "observe/health_board.hpp"
#include "observe/metrics.hpp"

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
  std::string version;
  // Counters of other parts (log queue, limiters, certificates), asked at each scrape; must be safe to call from the admin worker.
  std::vector<std::function<std::vector<Family>()>> others;
};

std::string metrics_page(const MetricsSources& sources);

}  // namespace gatehouse::admin
