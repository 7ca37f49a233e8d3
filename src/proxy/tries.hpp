// Where a request goes: the pool, the address, and the next address where one fails before any answer. It decides; Forward sends.
// Lives as long as Forward::handle. Thread: the worker's.
#pragma once

#include "proxy/error_response.hpp"
#include "upstream/pools.hpp"

#include <boost/asio/awaitable.hpp>
#include <optional>

namespace gatehouse::proxy {

class ProxyExchange;

class Tries {
 public:
  // Chooses the pool.
  explicit Tries(ProxyExchange& exchange);
  ~Tries();
  Tries(const Tries&) = delete;
  Tries& operator=(const Tries&) = delete;

  upstream::Pool& pool() noexcept { return pool_; }
  // Chooses the address. False: the circuit of each is open.
  bool begin(net::Clock::time_point now);
  // What the address in use is reached by. After begin().
  upstream::Cluster& cluster() noexcept { return member_->cluster(); }
  // An idle connection to it, if there is one that will do.
  void take_idle(upstream::Cluster::Repeat repeat);
  // A new connection, to another address where this one does not do; waits for the app as configured. Nothing, or why there is none.
  awaitable<std::optional<UpstreamFailure>> connect();
  // No answer came over the connection. On one that had been kept this is bad luck; on a new one, a sign of trouble at that address.
  void lost(UpstreamFailure failure);
  // Gives the connection up and goes to the next address; of an app with only one, back there. False: nothing is to be tried again, and
  // nothing has changed.
  bool go_on(UpstreamFailure failure);

  // How it ended; one of them, once.
  void answered(Response& response);
  void failed(UpstreamFailure failure);
  void refused() { count(true); }
  void abandoned() { count(false); }

 private:
  Tries(ProxyExchange& exchange, upstream::Pools::Choice choice);
  void use(upstream::Member& member, net::Clock::time_point now);
  void count(bool failed);

  ProxyExchange& exchange_;
  upstream::Pool& pool_;
  upstream::Member* member_;
  std::optional<upstream::CircuitPass> pass_;
  upstream::Cluster::Repeat repeat_ = upstream::Cluster::Repeat::kImpossible;
  std::uint32_t tried_ = 0;
  int retries_ = 0;
  bool waiting_ = false;  // counted among those without an answer
  bool tell_client_;  // which pool it is to stay with
};

}  // namespace gatehouse::proxy
