// One connection to the app. While idle it belongs to the pool, while busy to the exchange that uses it.
#pragma once

#include "net/stream.hpp"

#include <atomic>
#include <functional>

namespace gatehouse::upstream {

class Connection final : private net::Deadline {
 public:
  // Takes over `socket`. `open` counts this connection for as long as it lives, where it is given.
  Connection(boost::asio::io_context& io, net::TimerWheel& wheel, int socket, std::atomic<std::int64_t>* open = nullptr)
      : stream(io, wheel, socket), open_(open) {}
  ~Connection() override {
    if (open_ != nullptr) open_->fetch_sub(1, std::memory_order_relaxed);
  }

  net::Stream stream;
  bool reused = false;  // has carried a request before this one
  const net::Clock::time_point began = net::Clock::now();  // to connect

  // Calls `on_idle_end` when the connection has not been taken out of the pool `stay` after `now`.
  void start_idle(net::Clock::time_point now, net::Clock::duration stay, std::function<void(Connection&)>& on_idle_end) {
    on_idle_end_ = &on_idle_end;
    idle_since_ = now;
    Deadline::set(stream.wheel(), now + stay);
  }
  void end_idle() noexcept { Deadline::clear(); }
  // How long it has been idle; only while it is.
  net::Clock::duration rested() const noexcept { return net::Clock::now() - idle_since_; }

 private:
  void on_expired() override { (*on_idle_end_)(*this); }
  std::function<void(Connection&)>* on_idle_end_ = nullptr;
  std::atomic<std::int64_t>* open_;
  net::Clock::time_point idle_since_{};
};

}  // namespace gatehouse::upstream
