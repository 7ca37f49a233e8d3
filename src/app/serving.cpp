#include "app/serving.hpp"

#include "app/browser_metrics.hpp"
#include "app/concurrency_metrics.hpp"
#include "app/pool_metrics.hpp"
#include "app/rate_limit_metrics.hpp"
#include "app/settings.hpp"
#include "app/version.hpp"

#include <algorithm>
#include <mutex>

namespace gatehouse {
namespace {

constexpr std::chrono::seconds kSilent{10};  // a worker that has not turned over for so long hangs

std::unique_ptr<proxy::Route> make_route(std::string name, proxy::RouteSettings settings) {
  return std::make_unique<proxy::Route>(proxy::Route{settings, std::move(name), proxy::PathPattern(settings.path), nullptr, nullptr, false, false});
}

admin::HealthAccess health_access(const Health& health) {
  std::vector<Cidr> allowed;
  for (const std::string& text : health.allow)
    if (const auto cidr = parse_cidr(text)) allowed.push_back(*cidr);
  return {health.token, CidrSet(allowed)};
}

std::uint64_t sum(const std::vector<std::unique_ptr<Worker>>& workers, observe::Counter observe::WorkerMetrics::* counter) {
  std::uint64_t total = 0;
  for (const auto& worker : workers) total += (worker->state().metrics.*counter).get();
  return total;
}

}  // namespace

Serving::Serving(unsigned workers, Logging& logging, const observe::HealthBoard& board)
    : logging_(logging), health_{&board, std::chrono::steady_clock::now(), kVersion, &shared_.draining} {
  filter_resources_.log_csp_report = [log = logging.logger("csp")](const CspReport& report) {
    log->event(spdlog::level::warn, "a page broke its content security policy",
               {{"document", report.document}, {"directive", report.directive}, {"blocked", report.blocked},
                {"disposition", report.disposition}, {"source", report.source_file}, {"line", report.line}});
  };
  for (unsigned i = 0; i < workers; ++i) {
    Worker& worker = *workers_.emplace_back(std::make_unique<Worker>(shared_));
    worker.state().on_warning = [log = logging.logger("proxy")](const std::string& what) { log->warn("{}", what); };
    worker.record_to(logging.queue());
    WorkerFilterCounters& counters = *filter_counters_.emplace_back(std::make_unique<WorkerFilterCounters>());
    counters.redis_links.set_on_event([log = logging.logger("rate_limits")](const std::string& what) { log->warn("{}", what); });
  }
  pools_.resize(workers);
}

std::optional<Serving::Prepared> Serving::prepare(const Config& config, std::shared_ptr<const Redactor> redactor,
                                                  InheritedSockets& inherited, ListenerSet::Problems& problems) {
  Prepared prepared;
  Mistakes mistakes("configuration");
  for (const UpstreamPool& pool : config.upstream.pools)
    if (!pool_names_.id_of(pool.name)) problems.mistakes.push_back("upstream.pools: there have been too many names since the start; restart Gatehouse");
  if (problems.any()) return std::nullopt;
  for (std::size_t i = 0; i < workers_.size(); ++i) prepared.snapshots.push_back(make_snapshot(i, config, redactor, mistakes));
  for (const Mistake& mistake : mistakes.sorted()) problems.mistakes.push_back(to_string(mistake));
  prepared.listeners = listeners_.plan(config.listeners, workers_.size(), inherited, problems);
  if (problems.any()) return std::nullopt;
  return prepared;
}

void Serving::commit(Prepared prepared, const Config& config, std::function<void()> done) {
  shared_.connection_limit = config.limits.connections;
  shared_.series.set_limit(static_cast<std::size_t>(config.metrics.max_series));
  shared_.addresses.set_limit(config.limits.connections_per_address);
  upstream_ = config.upstream;
  keep_shares();
  auto told = listeners_.commit(std::move(prepared.listeners), workers_.size());
  const auto left = std::make_shared<std::atomic<std::size_t>>(workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    pools_[i] = prepared.snapshots[i]->pools;
    workers_[i]->apply(std::move(prepared.snapshots[i]), std::move(told[i]), [left, done] {
      if (left->fetch_sub(1) == 1 && done) done();
    });
  }
}

bool Serving::renew_certificates(ListenerSet::Problems& problems) {
  ListenerSet::Plan plan = listeners_.renew(problems);
  if (problems.any()) return false;
  auto told = listeners_.commit(std::move(plan), workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i]->apply(nullptr, std::move(told[i]));
  return true;
}

std::shared_ptr<proxy::Snapshot> Serving::make_snapshot(std::size_t worker, const Config& config, std::shared_ptr<const Redactor> redactor,
                                                        Mistakes& mistakes) {
  proxy::WorkerState& state = workers_[worker]->state();
  WorkerFilterCounters& counters = *filter_counters_[worker];
  auto snapshot = std::make_shared<proxy::Snapshot>();
  snapshot->settings = serving_settings(config);
  snapshot->recording = {recorder_settings(config), std::move(redactor), logging_.logger("proxy")};
  snapshot->pools = make_pools(worker, config.upstream);
  auto forward = std::make_unique<proxy::Forward>();
  auto health = std::make_unique<admin::PublicHealth>(health_, health_access(config.health));

  std::vector<std::unique_ptr<proxy::Route>> routes;
  if (!config.health.path.empty()) {
    proxy::RouteSettings own;
    own.path = config.health.path;
    routes.push_back(make_route(own.path, own));
    routes.back()->own = true;
    routes.back()->chain = std::make_unique<Chain>(build_public_filters(config, counters, mistakes), *health);
  }
  for (std::size_t i = 0; i <= config.routes.size(); ++i) {
    const bool last = i == config.routes.size();
    const auto index = last ? std::nullopt : std::optional(i);
    const auto settings = route_settings(config, index);
    auto route = make_route(last ? "unmatched" : settings.path, settings);
    route->answers_preflights = has_filter(config, "cors", index);
    route->chain = std::make_unique<Chain>(build_filters(config, index, filter_resources_, counters, mistakes), *forward);
    route->metrics = &state.metrics.route(route->name);
    routes.push_back(std::move(route));
  }
  snapshot->terminals.push_back(std::move(forward));
  snapshot->terminals.push_back(std::move(health));
  snapshot->router = std::make_unique<proxy::Router>(std::move(routes));
  return snapshot;
}

// Split traffic stays so over a reload, for as long as both names are there.
void Serving::keep_shares() {
  const auto is_there = [this](upstream::PoolId id) {
    return std::any_of(upstream_->pools.begin(), upstream_->pools.end(), [&](const UpstreamPool& pool) { return pool.name == pool_names_.name(id); });
  };
  upstream::Shares shares = split_.load();
  if (!started_split_ || !is_there(shares.base)) {
    const upstream::PoolId active = *pool_names_.id_of(active_pool(*upstream_).name);
    shares = {active, active, 0};
  }
  if (!is_there(shares.target)) shares = {shares.base, shares.base, 0};
  split_.store(shares);
  started_split_ = true;
}

std::shared_ptr<upstream::Pools> Serving::make_pools(std::size_t worker, const Upstream& upstream) {
  const std::shared_ptr<upstream::Pools> before = pools_[worker].lock();
  std::vector<std::shared_ptr<upstream::Pool>> pools;
  for (const UpstreamPool& wanted : upstream.pools) pools.push_back(make_pool(worker, upstream, wanted, before ? before->find(wanted.name) : nullptr));
  return std::make_shared<upstream::Pools>(std::move(pools), *pool_names_.id_of(upstream.active), split_,
                                           upstream.sticky ? upstream.sticky->cookie : std::string());
}

std::shared_ptr<upstream::Pool> Serving::make_pool(std::size_t worker, const Upstream& upstream, const UpstreamPool& wanted, upstream::Pool* before) {
  proxy::WorkerState& state = workers_[worker]->state();
  std::vector<std::shared_ptr<upstream::Member>> members;
  for (const Address& address : wanted.addresses) {
    const upstream::ClusterSettings settings = cluster_settings(upstream, address);
    // An address about which nothing changed keeps its connections and what is known about it.
    std::shared_ptr<upstream::Member> member = before == nullptr ? nullptr : before->find(settings);
    if (!member) {
      auto cluster = std::make_unique<upstream::Cluster>(state.io, state.wheel, settings, state.metrics, upstream_connections_);
      cluster->on_event(state.on_warning);
      member = std::make_shared<upstream::Member>(std::move(cluster), address_healths_.of(settings.address));
    }
    members.push_back(std::move(member));
  }
  upstream::RetryBudget budget(upstream.retry.budget, static_cast<double>(upstream.retry.minimum) / static_cast<double>(workers_.size()));
  // One pool of one address is not told apart from the whole: its requests cost nothing more.
  const bool counted = counts_pools(upstream);
  return std::make_shared<upstream::Pool>(wanted.name, *pool_names_.id_of(wanted.name), std::move(members), budget,
                                          counted ? &state.metrics.pool(wanted.name) : nullptr,
                                          upstream.named ? upstream::Pool::Naming::kByUser : upstream::Pool::Naming::kNone);
}

void Serving::copy_sockets(std::function<void(std::vector<net::Descriptor>)> done) {
  struct Collected {
    std::mutex mutex;
    std::vector<net::Descriptor> sockets;
    std::size_t left;
  };
  const auto collected = std::make_shared<Collected>();
  collected->left = workers_.size();
  for (const auto& worker : workers_)
    worker->copy_sockets([collected, done](std::vector<net::Descriptor> copies) {
      const std::lock_guard lock(collected->mutex);
      for (net::Descriptor& copy : copies) collected->sockets.push_back(std::move(copy));
      if (--collected->left == 0) done(std::move(collected->sockets));
    });
}

void Serving::start() {
  for (const auto& worker : workers_) worker->start();
}

void Serving::close_idle() {
  for (const auto& worker : workers_) worker->close_idle();
}

void Serving::expect_drain() {
  for (const auto& worker : workers_) worker->expect_drain();
}

void Serving::drain(std::chrono::milliseconds deadline) {
  for (const auto& worker : workers_) worker->drain(deadline);
}

void Serving::join() {
  for (const auto& worker : workers_) worker->join();
}

bool Serving::alive() const {
  return std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->silence() < kSilent; });
}

std::uint64_t Serving::connections() const { return sum(workers_, &observe::WorkerMetrics::connections_open); }

std::uint64_t Serving::requests() const { return sum(workers_, &observe::WorkerMetrics::requests_active); }

bool Serving::unfinished() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->state().tasks.running() != 0; });
}

std::vector<const observe::WorkerMetrics*> Serving::metrics() const {
  std::vector<const observe::WorkerMetrics*> all;
  for (const auto& worker : workers_) all.push_back(&worker->state().metrics);
  return all;
}

std::vector<std::string> Serving::pool_names() const {
  std::vector<std::string> names;
  if (upstream_)
    for (const UpstreamPool& pool : upstream_->pools) names.push_back(pool.name);
  return names;
}

std::optional<upstream::PoolId> Serving::pool_id(std::string_view name) {
  const auto names = pool_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) return std::nullopt;
  return pool_names_.id_of(std::string(name));
}

const std::string& Serving::serving_pool() const {
  const upstream::Shares shares = split_.load();
  return pool_names_.name(shares.percent >= 100 ? shares.target : shares.base);
}

observe::PoolTotals Serving::totals(std::string_view pool) const {
  observe::PoolTotals totals;
  for (const auto& worker : workers_)
    worker->state().metrics.for_each_pool([&](const observe::PoolStats& stats) {
      if (stats.pool() == pool) totals.add(stats);
    });
  return totals;
}

std::vector<proxy::WorkerState*> Serving::states() {
  std::vector<proxy::WorkerState*> all;
  for (const auto& worker : workers_) all.push_back(&worker->state());
  return all;
}

std::vector<admin::Family> Serving::families() const {
  std::vector<admin::Family> families = browser_families(filter_counters_);
  for (admin::Family& family : rate_limit_families(filter_resources_.rate_tables)) families.push_back(std::move(family));
  for (admin::Family& family : concurrency_families(filter_resources_.concurrency_gates)) families.push_back(std::move(family));
  if (upstream_)
    for (admin::Family& family : pool_families(*upstream_, split_, pool_names_, address_healths_)) families.push_back(std::move(family));
  admin::Family expiry{"gatehouse_tls_certificate_not_after_timestamp_seconds", "When a certificate expires, seconds since the epoch.", false, {}};
  for (const auto& certificate : listeners_.certificates())
    expiry.samples.push_back({{{"names", certificate.names}}, static_cast<double>(certificate.not_after)});
  families.push_back(std::move(expiry));
  const auto gauge = [&families](const char* name, const char* help, double value) { families.push_back({name, help, false, {{{}, value}}}); };
  gauge("gatehouse_connections_limit", "Client connections that may be open.", static_cast<double>(shared_.connection_limit));
  gauge("gatehouse_upstream_connections_limit", "Connections to the app that may be open.", static_cast<double>(upstream_ ? upstream_->max_connections : 0));
  gauge("gatehouse_metrics_series", "Combinations of route, method and status that are counted apart.", static_cast<double>(shared_.series.used()));
  gauge("gatehouse_metrics_series_limit", "How many of these there may be.", static_cast<double>(shared_.series.limit()));
  return families;
}

}  // namespace gatehouse
