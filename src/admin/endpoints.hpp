// What the admin listener serves: /health /livez /readyz /startupz /metrics. Everything is read from results kept elsewhere: a flood of
// requests causes no probe. Trusts whoever can reach the admin address.
#pragma once

#include "admin/metrics_page.hpp"
#include "filters/chain.hpp"
#include "observe/health_board.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

namespace gatehouse::admin {

struct AdminSources {
  MetricsSources metrics;
  const observe::HealthBoard* health = nullptr;
  std::chrono::steady_clock::time_point started;
  // False while a worker has not turned over for too long.
  std::function<bool()> workers_alive;
  const std::atomic<bool>* draining = nullptr;
};

class Endpoints final : public Terminal {
 public:
  explicit Endpoints(AdminSources sources) : sources_(std::move(sources)) {}
  awaitable<Response> handle(Exchange& exchange) override;

 private:
  Response health(Exchange& exchange) const;
  AdminSources sources_;
};

// The public /health: the overall status and nothing else, for whoever asks.
class PublicHealth final : public Terminal {
 public:
  PublicHealth(const observe::HealthBoard& health, const std::atomic<bool>& draining) : health_(health), draining_(draining) {}
  awaitable<Response> handle(Exchange& exchange) override;

 private:
  const observe::HealthBoard& health_;
  const std::atomic<bool>& draining_;
};

}  // namespace gatehouse::admin
