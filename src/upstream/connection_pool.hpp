// Idle connections of one worker, last used first. A connection leaves when it has been idle for as long as the app is known
// to keep it, less a margin, and is looked at before it is used again: most of the keep-alive race is won here, the rest
// by replaying. Closed with FIN. Thread: the worker's.
#pragma once

#include "observe/metrics.hpp"
#include "upstream/connection.hpp"

#include <memory>
#include <vector>

namespace gatehouse::upstream {

class ConnectionPool {
 public:
  // Keeps at most `most` connections, each for at most `idle`.
  ConnectionPool(std::size_t most, net::Clock::duration idle, observe::WorkerMetrics& metrics);
  ~ConnectionPool() { close_all(); }
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // A live connection that has been idle for no longer than `longest_rest`, or null.
  std::unique_ptr<Connection> take(net::Clock::duration longest_rest = net::Clock::duration::max());
  // Keeps a connection whose last response has been read in full. `idle` bounds its stay further (Keep-Alive: timeout).
  void give_back(std::unique_ptr<Connection> connection, net::Clock::duration idle);
  void close_all() noexcept;
  std::size_t size() const noexcept { return idle_.size(); }

 private:
  void drop(Connection& connection);

  std::size_t most_;
  net::Clock::duration idle_limit_;
  observe::WorkerMetrics& metrics_;
  std::function<void(Connection&)> on_idle_end_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace gatehouse::upstream
