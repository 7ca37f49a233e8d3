#include "support/proxy_under_test.hpp"

#include "proxy/forward.hpp"
#include "proxy/hygiene.hpp"
#include "proxy/proxy_exchange.hpp"

#include <chrono>
#include <stdexcept>

namespace gatehouse::test {

ProxyUnderTest::ProxyUnderTest(std::uint16_t upstream_port, ProxySettings settings) {
  settings.cluster.host = "127.0.0.1";
  settings.cluster.authority = "app";
  worker_ = std::make_unique<Worker>(shared_);
  proxy::WorkerState& state = worker_->state();
  auto snapshot = std::make_shared<proxy::Snapshot>();
  snapshot->settings = settings.serving;
  std::vector<std::shared_ptr<upstream::Pool>> pools;
  const auto add_pool = [&](const char* name, std::uint16_t port) {
    settings.cluster.port = port;
    auto cluster = std::make_unique<upstream::Cluster>(state.io, state.wheel, settings.cluster, state.metrics, upstream_connections_);
    std::vector<std::shared_ptr<upstream::Member>> members{std::make_shared<upstream::Member>(std::move(cluster))};
    pools.push_back(std::make_shared<upstream::Pool>(name, static_cast<upstream::PoolId>(pools.size()), std::move(members),
                                                     upstream::RetryBudget(0.2, 3), nullptr, upstream::Pool::Naming::kByUser));
  };
  add_pool("blue", upstream_port);
  if (settings.green_port != 0) add_pool("green", settings.green_port);
  split_.store({0, static_cast<upstream::PoolId>(pools.size() - 1), settings.percent});
  snapshot->pools = std::make_shared<upstream::Pools>(std::move(pools), upstream::PoolId{0}, split_, "side");

  auto forward = std::make_unique<proxy::Forward>();
  auto route = std::make_unique<proxy::Route>(
      proxy::Route{settings.route, "/*", proxy::PathPattern(settings.route.path), nullptr, nullptr, false});
  std::vector<std::unique_ptr<Filter>> filters;
  filters.push_back(std::make_unique<proxy::Hygiene>());
  route->chain = std::make_unique<Chain>(std::move(filters), *forward);
  snapshot->terminals.push_back(std::move(forward));
  std::vector<std::unique_ptr<proxy::Route>> routes;
  routes.push_back(std::move(route));
  snapshot->router = std::make_unique<proxy::Router>(std::move(routes));

  state.on_finished = [this](const proxy::ProxyExchange& exchange) {
    const Outcome& outcome = const_cast<proxy::ProxyExchange&>(exchange).outcome();
    const std::lock_guard lock(mutex_);
    ended_.push_back({exchange.measures.status, outcome.sidecar, std::string(outcome.reason),
                      std::string(flag_code(outcome.flag)), exchange.measures.replayed});
    changed_.notify_all();
  };
  const auto endpoint = net::Endpoint::ip("127.0.0.1", 0);
  const net::BoundSocket bound = net::bind_listener(*endpoint, net::Sharing::kShared);
  if (bound.descriptor < 0) throw std::runtime_error(bound.error);
  port_ = bound.endpoint.port();
  std::vector<ListenerPlan> plan(1);
  plan[0].name = "proxy";
  plan[0].descriptors.push_back(bound.descriptor);
  worker_->apply(std::move(snapshot), std::move(plan));
  worker_->start();
}

ProxyUnderTest::~ProxyUnderTest() {
  worker_->drain(std::chrono::milliseconds(0));
  worker_->join();
}

ClientResponse ProxyUnderTest::fetch(std::string_view request, bool head_only) const {
  Socket client = connect();
  client.send(request);
  return read_response(client, head_only);
}

Ended ProxyUnderTest::ended(std::size_t index) const {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, std::chrono::seconds(30), [&] { return ended_.size() > index; }))
    return {0, false, "no record came", "", false};
  return ended_[index];
}

}  // namespace gatehouse::test
