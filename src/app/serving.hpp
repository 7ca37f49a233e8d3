// The workers and everything they share. Turns a configuration into one snapshot for each worker and its listeners: proved in full
// first, then taken into use by all. Main thread, but for what says otherwise.
#pragma once

#include "admin/endpoints.hpp"
#include "app/filter_catalog.hpp"
#include "app/listener_set.hpp"
#include "app/worker.hpp"
#include "config/config.hpp"
#include "config/mistake.hpp"
#include "observe/logging.hpp"
#include "observe/pool_totals.hpp"
#include "proxy/forward.hpp"
#include "upstream/traffic_split.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse {

class Serving {
 public:
  // `logging` must outlive it. Workers run from start() on.
  Serving(unsigned workers, Logging& logging, const observe::HealthBoard& board);

  struct Prepared {
    std::vector<std::shared_ptr<proxy::Snapshot>> snapshots;
    ListenerSet::Plan listeners;
  };
  // Nothing, where `problems` says why not: then nothing has changed. `redactor` is what the records of these requests are hidden with.
  std::optional<Prepared> prepare(const Config& config, std::shared_ptr<const Redactor> redactor, InheritedSockets& inherited,
                                  ListenerSet::Problems& problems);
  // Requests that begin from now on are served by it. Calls `done` on a worker's thread once all workers do so.
  void commit(Prepared prepared, const Config& config, std::function<void()> done = {});
  // Loads certificates anew whose files changed; nothing changes where one cannot be used. Whether there was no problem.
  bool renew_certificates(ListenerSet::Problems& problems);

  // Calls `done` on a worker's thread with copies of all sockets that the workers listen on.
  void copy_sockets(std::function<void(std::vector<net::Descriptor>)> done);

  void start();
  // Connections that rest are closed, the others after their answer.
  void close_idle();
  // Before drain(): see Worker.
  void expect_drain();
  void drain(std::chrono::milliseconds deadline);
  // Waits until all workers have ended. Any thread.
  void join();

  // Any thread.
  std::atomic<bool>& draining() noexcept { return shared_.draining; }
  // Every worker turned over lately. Any thread.
  bool alive() const;
  // Connections of clients; requests being answered. Any thread.
  std::uint64_t connections() const;
  std::uint64_t requests() const;
  // After join(): something had to be left behind.
  bool unfinished() const;

  std::size_t worker_count() const noexcept { return workers_.size(); }
  std::vector<const observe::WorkerMetrics*> metrics() const;
  // To be touched on the threads of these workers.
  std::vector<proxy::WorkerState*> states();
  const ListenerSet& listeners() const noexcept { return listeners_; }
  admin::HealthSources health_sources() const { return health_; }
  // The pools of the app. How they share the requests lives as long as the process: a reload changes it only where a name goes away.
  upstream::TrafficSplit& split() noexcept { return split_; }
  std::vector<std::string> pool_names() const;  // of the configuration in force
  std::optional<upstream::PoolId> pool_id(std::string_view name);  // nothing: no pool in force has that name
  const std::string& pool_name(upstream::PoolId id) const { return pool_names_.name(id); }
  const std::string& serving_pool() const;  // that has more than a part of the requests
  // What the workers counted so far. Nothing is counted where there is one pool of one address.
  observe::PoolTotals totals(std::string_view pool) const;
  upstream::AddressHealths& address_healths() noexcept { return address_healths_; }

  // What filters and certificates count, for the metrics page.
  std::vector<admin::Family> families() const;

 private:
  std::shared_ptr<proxy::Snapshot> make_snapshot(std::size_t worker, const Config& config, std::shared_ptr<const Redactor> redactor,
                                                 Mistakes& mistakes);

  void keep_shares();
  std::shared_ptr<upstream::Pools> make_pools(std::size_t worker, const Upstream& upstream);
  std::shared_ptr<upstream::Pool> make_pool(std::size_t worker, const Upstream& upstream, const UpstreamPool& wanted, upstream::Pool* before);

  Logging& logging_;
  admin::HealthSources health_;
  FilterResources filter_resources_;
  std::vector<std::unique_ptr<WorkerFilterCounters>> filter_counters_;  // one for each worker
  proxy::SharedState shared_;
  upstream::SharedConnections upstream_connections_;
  upstream::TrafficSplit split_;
  bool started_split_ = false;
  upstream::PoolNames pool_names_;
  upstream::AddressHealths address_healths_;
  std::optional<Upstream> upstream_;  // in force
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::weak_ptr<upstream::Pools>> pools_;  // in use, one for each worker, whose thread has the last say
  ListenerSet listeners_;
};

}  // namespace gatehouse
