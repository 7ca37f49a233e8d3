// The real request path in front of a scripted app: one worker with its session, router, forward and pool in a thread
// of its own, on a free port of 127.0.0.1, without configuration file, log or filters but the innermost.
#pragma once

#include "app/worker.hpp"
#include "support/socket.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace gatehouse::test {

// How one request ended, as its access record would tell.
struct Ended {
  int status = 0;
  bool sidecar = false;
  std::string reason;
  std::string flag;
  bool replayed = false;
};

struct ProxySettings {
  proxy::ServingSettings serving;
  proxy::RouteSettings route;
  upstream::ClusterSettings cluster;
  // A second pool, `green`, beside `blue`, which then is the first one's name; the cookie `side` keeps clients.
  std::uint16_t green_port = 0;
  unsigned percent = 0;  // of the requests, to green
};

class ProxyUnderTest {
 public:
  explicit ProxyUnderTest(std::uint16_t upstream_port, ProxySettings settings = {});
  ~ProxyUnderTest();
  ProxyUnderTest(const ProxyUnderTest&) = delete;
  ProxyUnderTest& operator=(const ProxyUnderTest&) = delete;

  Socket connect() const { return Socket::connect(port_); }
  // One request on a connection of its own.
  ClientResponse fetch(std::string_view request, bool head_only = false) const;
  // The record of the request that ended as number `index` (from 0); waits for it.
  Ended ended(std::size_t index) const;
  // Counters of the worker. May be read while it runs.
  const observe::WorkerMetrics& metrics() const noexcept { return worker_->state().metrics; }
  std::uint16_t port() const noexcept { return port_; }
  // Sends that part of the requests to green.
  void shift(unsigned percent) { split_.store({0, 1, percent}); }

 private:
  proxy::SharedState shared_;
  upstream::SharedConnections upstream_connections_;
  upstream::TrafficSplit split_;
  std::unique_ptr<Worker> worker_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Ended> ended_;
};

}  // namespace gatehouse::test
