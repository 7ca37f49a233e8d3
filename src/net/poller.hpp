// The epoll set behind every Readiness of one io_context; made with the first of them. Keeps the io_context running only while somebody
// waits. Thread: the io_context's.
#pragma once

#include "net/readiness.hpp"

#include <array>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/epoll.h>

namespace gatehouse::net {

class Poller final : public boost::asio::execution_context::service {
 public:
  using key_type = Poller;
  inline static boost::asio::execution_context::id id;  // Asio's way to find a service of an io_context

  // Throws boost::system::system_error when no descriptor is left.
  explicit Poller(boost::asio::io_context& io);
  // That of `io`; made if there is none.
  static Poller& of(boost::asio::io_context& io);

  bool add(Readiness& readiness) noexcept;
  void remove(Readiness& readiness) noexcept;
  void wait_begins();
  void wait_ends() noexcept;

 private:
  void shutdown() override;
  void arm();
  void dispatch();

  // As many as are handled before others on this thread have their turn.
  static constexpr std::size_t kBatch = 64;
  boost::asio::posix::stream_descriptor set_;  // the epoll set, as Asio sees it
  Readiness* first_ = nullptr;
  std::array<epoll_event, kBatch> batch_{};
  std::size_t batch_size_ = 0;
  std::size_t waits_ = 0;
  bool armed_ = false;
  bool dispatching_ = false;
  bool shut_ = false;
};

}  // namespace gatehouse::net
