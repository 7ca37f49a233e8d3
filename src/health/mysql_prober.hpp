// Well when it answers a login. The login is always sent: a client that reads the greeting and hangs up counts as a
// broken connection, and after 100 of them (max_connect_errors) MySQL shuts out the host, the app with it. Without TLS.
// Thread: the io_context's.
#pragma once

#include "health/dialer.hpp"
#include "health/prober.hpp"

#include <string_view>

namespace gatehouse::health {

class MysqlProber final : public Prober {
 public:
  // Without a user a refusal of the login is a good answer.
  MysqlProber(boost::asio::io_context& io, net::TimerWheel& wheel, Place place, std::string user, std::string password);
  awaitable<std::string> probe(net::Clock::time_point deadline) override;

 private:
  awaitable<std::string> log_in(net::Stream& stream, net::Clock::time_point until);
  Dialer dialer_;
  std::string user_;
  std::string password_;
};

}  // namespace gatehouse::health
