// Who asks after the app and what it depends on. A reload leaves those alone whose settings did not change: what they know stays.
// Runs on the admin worker; main thread.
#pragma once

#include "config/config.hpp"
#include "health/check_loop.hpp"
#include "observe/health_board.hpp"
#include "observe/logging.hpp"
#include "proxy/worker_state.hpp"
#include "upstream/address_health.hpp"
#include "upstream/prober.hpp"

#include <memory>
#include <vector>

namespace gatehouse {

class HealthChecks {
 public:
  // All must outlive it; `admin` is where the checks run, `healths` is told what they say of each address of the app. `serving` names the
  // pool that serves: as long as one of its addresses is well, the app is.
  HealthChecks(proxy::WorkerState& admin, observe::HealthBoard& board, Logging& logging, upstream::AddressHealths& healths,
               std::function<std::string()> serving)
      : admin_(admin), board_(board), logging_(logging), healths_(healths), serving_(std::move(serving)) {}

  // Runs the checks of that configuration and no others.
  void apply(const Config& config);
  void stop();

  // What is known about an address of the app.
  struct AddressState {
    std::string address;
    bool answered = false;  // there was a check since this address is known
    bool healthy = false;
    std::uint64_t answers = 0;  // checks so far, good and bad
    int good_in_a_row = 0;
    std::string error;          // of the last one; empty: it was good
  };
  // Of each address of that pool; empty: there is no such pool.
  std::vector<AddressState> pool_state(std::string_view pool) const;
  // Asks its addresses at once.
  void hurry(std::string_view pool);
  // Another pool serves, or the same ones by other shares.
  void traffic_moved() { judge_app(); }

 private:
  // One address of the app.
  struct AppCheck {
    upstream::ClusterSettings cluster;
    std::optional<UpstreamHealth> health;
    std::size_t number;
    std::shared_ptr<upstream::Prober> prober;
    std::shared_ptr<AddressState> state;
  };
  struct Check {
    HealthCheck check;
    std::size_t number;
    std::shared_ptr<health::CheckLoop> loop;
  };
  void apply_app(const Config& config, observe::Health until_known);
  AppCheck start_app(const Config& config, const upstream::ClusterSettings& cluster, observe::Health until_known);
  void judge_app();
  const AppCheck* find(const Address& address) const;
  Check start(const HealthCheck& check, observe::Health until_known);
  auto on_change(std::string_view component, std::string who);

  proxy::WorkerState& admin_;
  observe::HealthBoard& board_;
  Logging& logging_;
  upstream::SharedConnections connections_;
  upstream::AddressHealths& healths_;
  std::function<std::string()> serving_;
  bool began_ = false;
  Upstream upstream_;
  std::vector<AppCheck> app_;            // one for each address
  std::optional<std::size_t> app_check_;  // what they say together, where there are several
  std::vector<Check> checks_;
};

}  // namespace gatehouse
