// Connections to one service, each step inside one deadline. Owner: a prober. Thread: the io_context's.
#pragma once

#include "health/blocking_call.hpp"
#include "net/endpoint.hpp"
#include "net/stream.hpp"

#include <gatehouse/result.hpp>

#include <memory>
#include <string>
#include <vector>

namespace gatehouse::health {

// Where a service listens: host and port, or the path of a Unix socket.
struct Place {
  std::string host;
  std::uint16_t port = 0;
  std::string unix_path;
};

class Dialer {
 public:
  Dialer(boost::asio::io_context& io, net::TimerWheel& wheel, Place place);

  const Place& place() const noexcept { return place_; }
  // The addresses of the place, in the system's order of preference; errc::unresolved.
  net::awaitable<result<std::vector<net::Endpoint>>> addresses(net::Clock::time_point until);
  // A connection to the first address that takes one. Every address gets its share of the time, so that a dead one does
  // not use up that of the next.
  net::awaitable<result<std::unique_ptr<net::Stream>>> connect(net::Clock::time_point until);

 private:
  net::awaitable<result<std::unique_ptr<net::Stream>>> connect_to(net::Endpoint endpoint, net::Clock::time_point until);

  boost::asio::io_context& io_;
  net::TimerWheel& wheel_;
  Place place_;
  BlockingCall<std::vector<net::Endpoint>> lookup_;
};

// The end of the share of one of `left` addresses.
net::Clock::time_point share_of(net::Clock::time_point until, std::size_t left);

// An error of the connection as the end of a sentence about the service.
std::string explain(const error_code& error);

// Sends all of `bytes`.
net::awaitable<error_code> send(net::Stream& stream, std::string_view bytes, net::Clock::time_point until);
// Appends what comes next, at least one byte, to `into`; errc::too_large when that would be more than `most` in all.
net::awaitable<error_code> receive(net::Stream& stream, std::string& into, std::size_t most,
                                   net::Clock::time_point until);

}  // namespace gatehouse::health
