// What the admin listener serves: the status page, /health /livez /readyz /startupz /metrics, read from results kept elsewhere
// (a flood of requests causes no probe), /log-levels and /redaction-test, and the verbs /reload, /drain, /upgrade and /switch. Trusts whoever can reach
// the admin address, but no page in a browser there.
#pragma once

#include "admin/control.hpp"
#include "admin/metrics_page.hpp"
#include "admin/status_page.hpp"
#include "filters/chain.hpp"
#include "http/address.hpp"
#include "observe/health_board.hpp"
#include "observe/logging.hpp"

#include <gatehouse/options.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace gatehouse::admin {

struct HealthSources {
  const observe::HealthBoard* board = nullptr;
  std::chrono::steady_clock::time_point started;
  std::string version;
  const std::atomic<bool>* draining = nullptr;
};

struct AdminSources {
  MetricsSources metrics;
  HealthSources health;
  Logging* logging = nullptr;
  // The names of secrets that the configuration in force adds.
  std::function<std::vector<std::string>()> secret_names;
  // False while a worker has not turned over for too long.
  std::function<bool()> workers_alive;
  Control control;
  // The configuration that is in force, as it may be shown.
  std::function<std::string()> effective_config;
};

class Endpoints final : public Terminal {
 public:
  explicit Endpoints(AdminSources sources) : sources_(std::move(sources)) {}
  awaitable<Response> handle(Exchange& exchange) override;

 private:
  awaitable<Response> reload(Exchange& exchange);
  awaitable<Response> drain(Exchange& exchange);
  awaitable<Response> upgrade(Exchange& exchange);
  awaitable<Response> switch_over(Exchange& exchange);
  Response for_people(Exchange& exchange);
  std::string shown(std::string_view wanted);

  AdminSources sources_;
  StatusPage page_ = make_status_page();
};

// Who may see more of /health on the public listeners than its status.
struct HealthAccess {
  Secret token;  // as `Authorization: Bearer TOKEN`; empty: nobody by token
  CidrSet allow;
};

// The public /health: the overall status for whoever asks, everything for those who may see it.
class PublicHealth final : public Terminal {
 public:
  PublicHealth(HealthSources sources, HealthAccess access) : sources_(std::move(sources)), access_(std::move(access)) {}
  awaitable<Response> handle(Exchange& exchange) override;

 private:
  HealthSources sources_;
  HealthAccess access_;
};

}  // namespace gatehouse::admin
