// Well when it accepts a connection. Thread: the io_context's.
#pragma once

#include "health/dialer.hpp"
#include "health/prober.hpp"

namespace gatehouse::health {

class TcpProber final : public Prober {
 public:
  TcpProber(boost::asio::io_context& io, net::TimerWheel& wheel, Place place);
  awaitable<std::string> probe(net::Clock::time_point deadline) override;

 private:
  Dialer dialer_;
};

}  // namespace gatehouse::health
