// The epoll set behind every Readiness of one io_context; made with the first of them. Keeps the io_context running only while somebody
// waits. Thread: the io_context's.
#pragma once

#include "net/readiness.hpp"

#include <array>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>
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
  // Its reader goes on when those that wait with Turn::kAtOnce have done so.
  void line_up(Readiness& readiness) noexcept;

 private:
  using Line = boost::intrusive::list<Readiness, boost::intrusive::constant_time_size<false>,
                                      boost::intrusive::member_hook<Readiness, decltype(Readiness::in_line_), &Readiness::in_line_>>;
  void shutdown() override;
  void go_on();
  void dispatch();
  void hand_out();

  // Of those in line this many go on before the kernel is asked who else can: what they begin is mostly still warm in the caches when its
  // answer comes, and a client that asks often cannot make the answers of others late.
  static constexpr std::size_t kTurns = 16;
  // How often that is done before others on this thread have their turn.
  static constexpr int kRounds = 4;
  static constexpr std::size_t kBatch = 64;
  boost::asio::posix::stream_descriptor set_;  // the epoll set, as Asio sees it
  Readiness* first_ = nullptr;
  std::array<epoll_event, kBatch> batch_{};
  std::size_t batch_size_ = 0;
  Line line_;
  std::size_t waits_ = 0;
  bool armed_ = false;   // Asio watches the set
  bool called_ = false;  // the next round has been arranged, for those in line
  bool dispatching_ = false;
  bool shut_ = false;
};

}  // namespace gatehouse::net
