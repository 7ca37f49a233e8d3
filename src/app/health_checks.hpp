// Who asks after the app and what it depends on. A reload leaves those alone whose settings did not change: what they know stays.
// Runs on the admin worker; main thread.
#pragma once

#include "config/config.hpp"
#include "health/check_loop.hpp"
#include "observe/health_board.hpp"
#include "observe/logging.hpp"
#include "proxy/worker_state.hpp"
#include "upstream/prober.hpp"

#include <memory>
#include <vector>

namespace gatehouse {

class HealthChecks {
 public:
  // All must outlive it; `admin` is where the checks run.
  HealthChecks(proxy::WorkerState& admin, observe::HealthBoard& board, Logging& logging)
      : admin_(admin), board_(board), logging_(logging) {}

  // Runs the checks of that configuration and no others.
  void apply(const Config& config);
  void stop();

 private:
  struct AppCheck {
    Upstream upstream;
    std::size_t number;
    std::shared_ptr<upstream::Prober> prober;
  };
  struct Check {
    HealthCheck check;
    std::size_t number;
    std::shared_ptr<health::CheckLoop> loop;
  };
  void apply_app(const Config& config, observe::Health until_known);
  Check start(const HealthCheck& check, observe::Health until_known);
  auto on_change(std::string_view component, std::string who);

  proxy::WorkerState& admin_;
  observe::HealthBoard& board_;
  Logging& logging_;
  upstream::SharedConnections connections_;
  std::unique_ptr<AppCheck> app_;
  std::vector<Check> checks_;
};

}  // namespace gatehouse
