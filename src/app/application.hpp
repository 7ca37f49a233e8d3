// Wires a configuration into a running sidecar and keeps it running until a signal ends it. Owns everything; main thread.
#pragma once

#include "admin/endpoints.hpp"
#include "app/filter_catalog.hpp"
#include "app/worker.hpp"
#include "config/config.hpp"
#include "health/check_loop.hpp"
#include "observe/health_board.hpp"
#include "observe/logging.hpp"
#include "upstream/prober.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gatehouse {

class Application {
 public:
  explicit Application(const Config& config);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  // Binds, starts the workers and serves until SIGTERM or SIGINT. The exit code: 0 after an orderly end, 1 when serving could not start,
  // 2 when the configuration cannot be used; what is wrong has been printed to stderr.
  int run();

 private:
  bool start_logging();
  int prepare();
  int prepare_listeners();
  void prepare_worker(Worker& worker, Mistakes& mistakes);
  void prepare_admin();
  admin::HealthSources health_sources() const;
  admin::HealthAccess health_access() const;
  void prepare_checks();
  void watch_signals();
  void begin_shutdown(int signal);
  void finish_shutdown();

  const Config& config_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::unique_ptr<Logging> logging_;
  std::shared_ptr<Logger> log_;
  FilterResources filter_resources_;
  std::vector<std::unique_ptr<WorkerFilterCounters>> filter_counters_;  // one for each worker
  observe::HealthBoard health_;
  proxy::SharedState shared_;
  upstream::SharedConnections upstream_connections_;
  upstream::SharedConnections probe_connections_;
  proxy::SharedState admin_shared_;
  std::unique_ptr<Worker> admin_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::shared_ptr<const net::TlsContext>> tls_;
  std::unique_ptr<upstream::Prober> prober_;
  std::vector<std::unique_ptr<health::CheckLoop>> checks_;
  struct Signals;
  std::unique_ptr<Signals> signals_;
  std::thread joiner_;
  bool stopping_ = false;
};

}  // namespace gatehouse
