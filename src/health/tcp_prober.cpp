#include "health/tcp_prober.hpp"

namespace gatehouse::health {

TcpProber::TcpProber(boost::asio::io_context& io, net::TimerWheel& wheel, Place place)
    : dialer_(io, wheel, std::move(place)) {}

awaitable<std::string> TcpProber::probe(net::Clock::time_point deadline) {
  const auto stream = co_await dialer_.connect(deadline);
  if (!stream) co_return explain(stream.error());
  co_return std::string();
}

}  // namespace gatehouse::health
