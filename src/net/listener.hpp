// A listening socket of one worker, and the loop that accepts on it. Each worker binds its own (SO_REUSEPORT), so accepting
// needs no lock; a Unix socket is bound once and shared. Running out of descriptors pauses accepting for a moment, so
// that nothing spins, and resumes by itself.
#pragma once

#include "net/deadline.hpp"
#include "net/descriptor.hpp"
#include "net/endpoint.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <string>

namespace gatehouse::net {

// Binds and listens, before any worker runs, so that a mistake stops the start. The descriptor, or a sentence.
struct BoundSocket {
  int descriptor = -1;
  Endpoint endpoint;  // with the port the kernel chose where 0 was asked for
  std::string error;
};
// kFirst refuses an address on which anybody listens already; kShared joins the sockets of this process' other workers.
enum class Sharing { kFirst, kShared };
BoundSocket bind_listener(const Endpoint& endpoint, Sharing sharing, int backlog = 4096);

class Listener {
 public:
  // Called with each accepted, non-blocking socket; owns it from then on.
  using OnAccept = std::function<void(int socket, const Endpoint& peer)>;
  // Called when accepting failed for want of resources, with the reason; at most once a pause.
  using OnExhausted = std::function<void(const char* reason)>;

  // Takes over `descriptor`.
  Listener(boost::asio::io_context& io, int descriptor, OnAccept on_accept, OnExhausted on_exhausted);

  // Accepts until close(), which takes in first who waits to be accepted.
  boost::asio::awaitable<void> run();
  void close();
  // From now on connections are handed over before they have said anything, as close() would turn away those that wait for their first
  // bytes (tcp(7), TCP_DEFER_ACCEPT): to be called a moment before it. Copies are the same socket: not where they go on.
  void hand_over_at_once() noexcept;
  // The same listening socket once more.
  Descriptor copy();

 private:
  // False when there were no resources for it.
  bool accept_some(int most);

  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer pause_;
  OnAccept on_accept_;
  OnExhausted on_exhausted_;
};

}  // namespace gatehouse::net
