// What the admin worker does of its own accord beside health checks: it calls the heartbeat monitor, and reads the app's OpenAPI document for
// the workers. Main thread.
#pragma once

#include "admin/metrics_page.hpp"
#include "config/config.hpp"
#include "health/heartbeat.hpp"
#include "health/openapi_reader.hpp"
#include "observe/logging.hpp"
#include "proxy/worker_state.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace gatehouse {

class Errands {
 public:
  // All must outlive it; `admin` is where the errands run. `ready` says whether /readyz holds.
  Errands(proxy::WorkerState& admin, std::vector<proxy::WorkerState*> workers, std::function<bool()> ready, std::shared_ptr<Logger> log)
      : admin_(admin), workers_(std::move(workers)), ready_(std::move(ready)), log_(std::move(log)) {}

  // Does what that configuration asks for and nothing else; what did not change goes on.
  void apply(const Config& config);
  void stop();
  // For the metrics page; on the admin worker's thread.
  std::vector<admin::Family> families() const;

 private:
  void apply_heartbeat(const Config& config);
  void apply_openapi(const Config& config);
  bool take(const std::string& document, std::size_t most);
  void give_to_workers(std::shared_ptr<const proxy::PathTemplates> templates);

  proxy::WorkerState& admin_;
  std::vector<proxy::WorkerState*> workers_;
  std::function<bool()> ready_;
  std::shared_ptr<Logger> log_;
  std::optional<HeartbeatMonitor> monitor_;
  std::shared_ptr<health::Heartbeat> heartbeat_;
  std::optional<OpenApi> openapi_;
  Address app_;
  std::shared_ptr<health::OpenApiReader> reader_;
  std::size_t templates_ = 0;
};

}  // namespace gatehouse
