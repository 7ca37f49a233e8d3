#include "app/health_checks.hpp"

#include "app/settings.hpp"
#include "health/catalog.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

// Lives until its last question has been answered.
template <class Check>
boost::asio::awaitable<void> run_check(std::shared_ptr<Check> check) {
  co_await check->run();
}

}  // namespace

auto HealthChecks::on_change(std::string_view component, std::string who) {
  return [log = logging_.logger(component), who = std::move(who)](bool healthy, const std::string& error) {
    if (healthy)
      log->info("{} is healthy", who);
    else
      log->warn("{} is not healthy: {}", who, error);
  };
}

void HealthChecks::apply(const Config& config) {
  // A process that serves already stays in service until a new check has spoken.
  const auto until_known = app_ ? observe::Health::kWarn : observe::Health::kFail;
  apply_app(config, until_known);
  std::vector<Check> checks;
  for (const HealthCheck& wanted : config.health.checks) {
    const auto known = std::find_if(checks_.begin(), checks_.end(), [&](const Check& check) { return check.check == wanted; });
    if (known == checks_.end()) {
      checks.push_back(start(wanted, until_known));
      continue;
    }
    checks.push_back(std::move(*known));
    checks_.erase(known);
  }
  for (const Check& gone : checks_) {
    gone.loop->stop();
    board_.remove(gone.number);
  }
  checks_ = std::move(checks);
}

void HealthChecks::stop() {
  if (app_) app_->prober->stop();
  for (const Check& check : checks_) check.loop->stop();
}

void HealthChecks::apply_app(const Config& config, observe::Health until_known) {
  if (app_ && app_->upstream == config.upstream) return;
  if (app_) {
    app_->prober->stop();
    board_.remove(app_->number);
  }
  auto cluster = cluster_settings(config);
  const auto settings = prober_settings(config);
  cluster.connect_timeout = settings.timeout;
  cluster.wait_for_app = {};
  cluster.circuit.reset();  // who asks whether the app is well again must not be refused because it was not
  const std::size_t number = board_.add("upstream", config.upstream.health ? "http" : "tcp", true, until_known);
  auto prober = std::make_shared<upstream::Prober>(
      admin_.io, std::make_unique<upstream::Cluster>(admin_.io, admin_.wheel, cluster, admin_.metrics, connections_), settings, board_, number,
      on_change("upstream", "the app"));
  admin_.tasks.spawn(run_check(prober));
  app_ = std::make_unique<AppCheck>(AppCheck{config.upstream, number, std::move(prober)});
}

HealthChecks::Check HealthChecks::start(const HealthCheck& check, observe::Health until_known) {
  const std::string kind(health::name(check.type));
  const std::size_t number = board_.add(check.name, kind, check.critical, until_known);
  auto loop = std::make_shared<health::CheckLoop>(admin_.io, health::make_prober(check, admin_.io, admin_.wheel), check.probe, board_, number,
                                                  on_change("health", check.name + " (" + kind + ")"));
  admin_.tasks.spawn(run_check(loop));
  return {check, number, std::move(loop)};
}

}  // namespace gatehouse
