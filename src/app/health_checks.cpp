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

upstream::ClusterSettings prober_cluster(const Config& config, const Address& address) {
  auto cluster = cluster_settings(config.upstream, address);
  cluster.connect_timeout = prober_settings(config).timeout;
  cluster.wait_for_app = {};
  cluster.circuit.reset();  // who asks whether the app is well again must not be refused because it was not
  return cluster;
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
  const auto until_known = began_ ? observe::Health::kWarn : observe::Health::kFail;
  began_ = true;
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
  for (const AppCheck& check : app_) check.prober->stop();
  for (const Check& check : checks_) check.loop->stop();
}

void HealthChecks::apply_app(const Config& config, observe::Health until_known) {
  if (!app_.empty() && upstream_ == config.upstream) return;
  std::vector<upstream::ClusterSettings> wanted;
  for (const UpstreamPool& pool : config.upstream.pools)
    for (const Address& address : pool.addresses) {
      auto cluster = prober_cluster(config, address);
      if (std::find(wanted.begin(), wanted.end(), cluster) == wanted.end()) wanted.push_back(std::move(cluster));
    }
  // The only address is the app itself; several are known by their addresses, and the app is well while one of them is.
  const bool one_by_one = wanted.size() > 1;
  std::vector<AppCheck> before = std::exchange(app_, {});
  upstream_ = config.upstream;
  for (const auto& cluster : wanted) {
    const auto known = std::find_if(before.begin(), before.end(), [&](const AppCheck& check) {
      return check.cluster == cluster && check.health == config.upstream.health && app_check_.has_value() == one_by_one;
    });
    if (known == before.end()) continue;
    app_.push_back(std::move(*known));
    before.erase(known);
  }
  for (const AppCheck& gone : before) {
    gone.prober->stop();
    board_.remove(gone.number);
  }
  if (app_check_ && !one_by_one) {
    board_.remove(*app_check_);
    app_check_.reset();
  }
  const char* const kind = config.upstream.health ? "http" : "tcp";
  if (!app_check_ && one_by_one) app_check_ = board_.add("upstream", kind, true, until_known);
  for (const auto& cluster : wanted)
    if (std::none_of(app_.begin(), app_.end(), [&](const AppCheck& check) { return check.cluster == cluster; }))
      app_.push_back(start_app(config, cluster, until_known));
  judge_app();
}

HealthChecks::AppCheck HealthChecks::start_app(const Config& config, const upstream::ClusterSettings& cluster, observe::Health until_known) {
  const bool one_by_one = app_check_.has_value();
  const std::size_t number = board_.add(one_by_one ? "upstream " + cluster.address : "upstream", config.upstream.health ? "http" : "tcp",
                                        !one_by_one, until_known);
  auto prober = std::make_shared<upstream::Prober>(
      admin_.io, std::make_unique<upstream::Cluster>(admin_.io, admin_.wheel, cluster, admin_.metrics, connections_),
      prober_settings(config), board_, number, on_change("upstream", one_by_one ? "the app at " + cluster.address : "the app"));
  auto state = std::make_shared<AddressState>(AddressState{cluster.address, false, false, 0, 0, {}});
  prober->on_answer([this, state, shared = healths_.of(cluster.address)](bool healthy, bool good, const std::string& error) {
    state->answered = true;
    state->healthy = healthy;
    ++state->answers;
    state->good_in_a_row = good ? state->good_in_a_row + 1 : 0;
    state->error = error;
    shared->healthy.store(healthy, std::memory_order_relaxed);
    judge_app();
  });
  admin_.tasks.spawn(run_check(prober));
  return {cluster, config.upstream.health, number, std::move(prober), std::move(state)};
}

// Of several addresses, one that is well is enough, if it is of a pool that serves.
void HealthChecks::judge_app() {
  if (!app_check_) return;
  const std::string serving = serving_();
  const std::vector<AddressState> states = pool_state(serving);
  bool well = false, known = true;
  for (const AddressState& state : states) {
    well = well || state.healthy;
    known = known && state.answered;
  }
  if (!well && !known) return;
  std::string error = "no address of the app is healthy";
  if (upstream_.named) error = "no address of the pool " + serving + " is healthy";
  if (!states.empty()) error += "; " + states.front().address + ": " + states.front().error;
  if (board_.report(*app_check_, well, {}, error)) on_change("upstream", "the app")(well, error);
}

const HealthChecks::AppCheck* HealthChecks::find(const Address& address) const {
  const auto found = std::find_if(app_.begin(), app_.end(), [text = to_string(address)](const AppCheck& check) { return check.cluster.address == text; });
  return found == app_.end() ? nullptr : &*found;
}

std::vector<HealthChecks::AddressState> HealthChecks::pool_state(std::string_view pool) const {
  std::vector<AddressState> states;
  for (const UpstreamPool& each : upstream_.pools)
    for (const Address& address : each.addresses)
      if (const AppCheck* const check = each.name == pool ? find(address) : nullptr) states.push_back(*check->state);
  return states;
}

void HealthChecks::hurry(std::string_view pool) {
  for (const UpstreamPool& each : upstream_.pools)
    for (const Address& address : each.addresses)
      if (const AppCheck* const check = each.name == pool ? find(address) : nullptr) check->prober->hurry();
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
