#include "upstream/connection_pool.hpp"

#include <algorithm>

namespace gatehouse::upstream {

ConnectionPool::ConnectionPool(std::size_t most, net::Clock::duration idle, observe::WorkerMetrics& metrics)
    : most_(most), idle_limit_(idle), metrics_(metrics), on_idle_end_([this](Connection& connection) { drop(connection); }) {}

std::unique_ptr<Connection> ConnectionPool::take(net::Clock::duration longest_rest) {
  // The last one has rested least.
  while (!idle_.empty() && (longest_rest == net::Clock::duration::max() || idle_.back()->rested() <= longest_rest)) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    metrics_.upstream_connections_idle.subtract();
    connection->end_idle();
    // Bytes before any request are as bad as an end: nobody asked for them. What this thread has been told of the connection is enough for
    // a request that can be repeated; the other kind asks the kernel.
    const bool surely = longest_rest != net::Clock::duration::max();
    if ((!surely && connection->stream.quiet()) || connection->stream.peek() == net::IoStatus::kWouldBlock) {
      connection->reused = true;
      return connection;
    }
    metrics_.upstream_reuse_failures.add();
    metrics_.upstream_connections_open.subtract();
  }
  return nullptr;
}

void ConnectionPool::give_back(std::unique_ptr<Connection> connection, net::Clock::duration idle) {
  const auto stay = std::min(idle, idle_limit_);
  if (idle_.size() >= most_ || stay <= net::Clock::duration::zero()) {
    metrics_.upstream_connections_open.subtract();
    return;
  }
  connection->stream.clear_deadline();
  connection->start_idle(net::Clock::now(), stay, on_idle_end_);
  metrics_.upstream_connections_idle.add();
  idle_.push_back(std::move(connection));
}

void ConnectionPool::close_all() noexcept {
  for (std::size_t i = 0; i < idle_.size(); ++i) {
    metrics_.upstream_connections_idle.subtract();
    metrics_.upstream_connections_open.subtract();
  }
  idle_.clear();
}

void ConnectionPool::drop(Connection& connection) {
  const auto at = std::find_if(idle_.begin(), idle_.end(), [&](const auto& idle) { return idle.get() == &connection; });
  if (at == idle_.end()) return;
  metrics_.upstream_connections_idle.subtract();
  metrics_.upstream_connections_open.subtract();
  idle_.erase(at);
}

}  // namespace gatehouse::upstream
