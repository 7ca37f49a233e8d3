// Asks the app again and again whether it is well, over a connection of its own: a GET of its health path, or, where it has none, a
// plain TCP connect. Runs on the admin worker, so that it never waits behind traffic and traffic never behind it.
#pragma once

#include "net/deadline.hpp"
#include "observe/health_board.hpp"
#include "observe/verdict.hpp"
#include "upstream/cluster.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

namespace gatehouse::upstream {

struct ProberSettings {
  std::string path;  // empty: connect only
  std::chrono::milliseconds interval{5000};
  std::chrono::milliseconds timeout{2000};
  int rise = 1;
  int fall = 2;
  std::vector<std::pair<int, int>> expected{{200, 399}};
};

class Prober {
 public:
  using OnChange = std::function<void(bool healthy, const std::string& error)>;
  // Reports to `check` of `board`; `on_change` is told when the verdict changes. The cluster is the prober's own.
  Prober(boost::asio::io_context& io, std::unique_ptr<Cluster> cluster, ProberSettings settings, observe::HealthBoard& board,
         std::size_t check, OnChange on_change);

  // `told` hears every answer and the verdict so far.
  using OnAnswer = std::function<void(bool healthy, bool good, const std::string& error)>;
  void on_answer(OnAnswer told) { on_answer_ = std::move(told); }

  // Probes until stop(). Faster (once a fifth of the interval) until the app was healthy once.
  boost::asio::awaitable<void> run();
  void stop();
  // Asks at once instead of when the interval is over.
  void hurry() { timer_.cancel(); }

 private:
  boost::asio::awaitable<std::string> probe();
  void judge(std::string error, std::chrono::nanoseconds latency);

  boost::asio::io_context& io_;
  std::unique_ptr<Cluster> cluster_;
  ProberSettings settings_;
  observe::HealthBoard& board_;
  std::size_t check_;
  OnChange on_change_;
  OnAnswer on_answer_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
  observe::Verdict verdict_;
};

}  // namespace gatehouse::upstream
