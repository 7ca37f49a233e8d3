// The pools as a switch of traffic sees them: their shares and counters from Serving, their health from the checks that run anyhow. Main thread.
#pragma once

#include "app/health_checks.hpp"
#include "app/serving.hpp"
#include "app/switch_over.hpp"

namespace gatehouse {

class PoolTraffic final : public Traffic {
 public:
  // How a pool has to pass its checks before it gets traffic.
  struct Gate {
    int rise = 1;                         // good answers of each address, one after the other
    std::chrono::milliseconds timeout{};  // of each
  };
  // All must outlive it.
  PoolTraffic(boost::asio::io_context& io, Serving& serving, HealthChecks& checks, std::function<Gate()> gate)
      : io_(io), serving_(serving), checks_(checks), gate_(std::move(gate)) {}

  std::vector<std::string> pools() const override { return serving_.pool_names(); }
  admin::TrafficShares shares() const override;
  void set(const admin::TrafficShares& shares) override;
  PoolCounts counts(const std::string& pool) const override;
  boost::asio::awaitable<std::string> check(std::string pool) override;
  bool is_well(const std::string& pool) const override;

 private:
  boost::asio::io_context& io_;
  Serving& serving_;
  HealthChecks& checks_;
  std::function<Gate()> gate_;
};

// "blue 90 %, green 10 %".
std::string shares_text(const admin::TrafficShares& shares);

}  // namespace gatehouse
