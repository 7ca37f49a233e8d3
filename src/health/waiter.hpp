// Waits for descriptors that belong to somebody else: libpq's socket, an eventfd. Owner: a coroutine. Thread: the
// io_context's.
#pragma once

#include "net/deadline.hpp"
#include "net/stream.hpp"

#include <gatehouse/result.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>

namespace gatehouse::health {

class Waiter final : private net::Deadline {
 public:
  Waiter(boost::asio::io_context& io, net::TimerWheel& wheel) : wheel_(wheel), descriptor_(io) {}
  ~Waiter() override { release(); }

  // Until `descriptor` is ready for that, or errc::timeout at `until`. The descriptor is as it was afterwards, and must
  // stay open meanwhile.
  net::awaitable<error_code> wait(int descriptor, net::Direction direction, net::Clock::time_point until);

 private:
  void on_expired() override;
  void release() noexcept;

  net::TimerWheel& wheel_;
  boost::asio::posix::stream_descriptor descriptor_;
  bool timed_out_ = false;
};

}  // namespace gatehouse::health
