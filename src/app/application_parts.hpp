// Parts of Application that its two source files share.
#pragma once

#include "app/application.hpp"

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>

namespace gatehouse {

constexpr std::chrono::seconds kLogPatience{2};
constexpr std::chrono::milliseconds kPoll{50};  // for what tells of no change by itself
constexpr int kFailed = 1;                      // it ran and something failed

struct Application::Signals {
  explicit Signals(boost::asio::io_context& io) : end(io, SIGTERM, SIGINT), reload(io, SIGHUP), timer(io), expiry(io) {}
  boost::asio::signal_set end;
  boost::asio::signal_set reload;
  boost::asio::steady_timer timer;
  boost::asio::steady_timer expiry;
};

struct Application::Drain {
  explicit Drain(boost::asio::io_context& io) : timer(io) {}
  boost::asio::steady_timer timer;
  net::Clock::time_point until;
  std::vector<DrainDone> waiting;
  bool over = false;
};

}  // namespace gatehouse
