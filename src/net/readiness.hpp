// Which sockets of a worker can be read or written. Asio asks the kernel anew for every wait on a descriptor (an epoll_ctl each); here a
// socket is registered once, edge-triggered (epoll(7)), in a set of its own, of which Asio watches nothing but the set. What is known of a
// socket is kept between waits, so an idle connection that the peer has closed is recognised without asking the kernel.
//
//   readiness.wait(kRead) -> read -> fewer bytes than asked for, or EAGAIN: exhausted(kRead) -> wait ...
//
// A read that filled its buffer leaves the knowledge as it is: the next wait ends at once.
// Owner: the stream of the socket. Thread: the io_context's.
#pragma once

#include <gatehouse/result.hpp>

#include <array>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/intrusive/list_hook.hpp>
#include <cstdint>
#include <optional>

namespace gatehouse::net {

enum class Direction : std::uint8_t { kRead, kWrite };

// Who goes on first when many can: work that has begun holds memory and connections until it ends, work that has not begun holds nothing.
enum class Turn : std::uint8_t { kAtOnce, kAfterOthers };

// How a wait ended: nothing, or why it did before the socket was ready.
struct WaitEnd {
  error_code error;
  operator error_code() const noexcept { return error; }  // NOLINT: read as the error it is
};

class Poller;

class Readiness {
 public:
  // Of `socket`, which is registered when somebody first waits for what it does not have, and must stay open until forget().
  Readiness(boost::asio::io_context& io, int socket) noexcept : io_(io), socket_(socket) {}
  ~Readiness() { forget(); }
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // Until the socket may be ready, or end(). One wait for each direction at a time. errc::exhausted where the kernel cannot watch it.
  // `turn` is heeded for reading alone.
  boost::asio::awaitable<WaitEnd> wait(Direction direction, Turn turn = Turn::kAtOnce);
  // A wait that is over before it began.
  boost::asio::awaitable<WaitEnd> ended(error_code why);
  // Ends the waits in progress with `why`; they go on from the io_context.
  void end(error_code why);

  // A system call found nothing, or less than it asked for.
  void exhausted(Direction direction) noexcept { ready_[index(direction)] = false; }
  // Nothing has come since the last read that found less than it asked for, and the peer has not left: as far as the kernel has told.
  bool quiet() const noexcept { return registered_ && !ready_[index(Direction::kRead)] && !peer_left_; }
  // There was more than one read could take, or something is there before anybody has looked.
  void more_to_read() noexcept { ready_[index(Direction::kRead)] = true; }

  // Before the socket is closed. Waits in progress end with errc::cancelled.
  void forget() noexcept;

 private:
  friend class Poller;
  using Waiter = boost::asio::async_result<boost::asio::use_awaitable_t<>, void(WaitEnd)>::handler_type;
  static constexpr std::size_t index(Direction direction) noexcept { return static_cast<std::size_t>(direction); }

  bool find_poller();
  bool register_socket();
  void begin(Direction direction, Turn turn, Waiter waiter);
  void on_events(std::uint32_t events);
  void on_turn();
  std::optional<Waiter> take(Direction direction) noexcept;
  void post(Waiter waiter, error_code why);

  boost::asio::io_context& io_;
  Poller* poller_ = nullptr;
  Readiness* previous_ = nullptr;  // among the registered ones
  Readiness* next_ = nullptr;
  boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> in_line_;
  int socket_;
  bool registered_ = false;
  Turn turn_ = Turn::kAtOnce;  // of whoever waits to read
  bool peer_left_ = false;  // its end, or an error, waits behind whatever can still be read
  std::array<bool, 2> ready_{};
  std::array<std::optional<Waiter>, 2> waiters_;
};

}  // namespace gatehouse::net
