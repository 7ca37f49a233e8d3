#include "net/listener.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace gatehouse::net {
namespace {

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr int kAcceptsAtOnce = 64;
constexpr int kAcceptsAtTheEnd = 4096;
constexpr std::chrono::milliseconds kPause{100};

// A socket file that nobody answers on is left over from a crash; one that answers belongs to somebody.
bool stale_socket_file(const Endpoint& endpoint) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const bool refused = ::connect(probe, endpoint.data(), endpoint.size()) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  return refused;
}

std::string explain(const Endpoint& endpoint, const char* step) {
  std::string text = "cannot " + std::string(step) + " " + endpoint.text() + ": " + std::strerror(errno);
  if (errno == EACCES && endpoint.port() != 0 && endpoint.port() < 1024)
    text += "; ports below 1024 need CAP_NET_BIND_SERVICE: choose a higher port";
  else if (errno == EADDRINUSE)
    text += "; another process listens there";
  else if (errno == EADDRNOTAVAIL)
    text += "; this machine does not have that address";
  return text;
}

// SO_REUSEPORT would let a second process of this user join silently; a socket without it may not.
bool taken(const Endpoint& endpoint) {
  if (endpoint.port() == 0) return false;
  const int probe = ::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const int on = 1;
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (endpoint.family() == AF_INET6) ::setsockopt(probe, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const bool in_use = ::bind(probe, endpoint.data(), endpoint.size()) != 0 && errno == EADDRINUSE;
  ::close(probe);
  return in_use;
}

}  // namespace

BoundSocket bind_listener(const Endpoint& endpoint, Sharing sharing, int backlog) {
  BoundSocket bound{-1, endpoint, {}};
  if (sharing == Sharing::kFirst && !endpoint.is_unix() && taken(endpoint)) {
    errno = EADDRINUSE;
    bound.error = explain(endpoint, "listen on");
    return bound;
  }
  const int descriptor = ::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    bound.error = explain(endpoint, "open a socket for");
    return bound;
  }
  const int on = 1;
  if (!endpoint.is_unix()) {
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    // Inherited by accepted sockets: one system call less for each of them.
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // A connection is handed over with its first bytes, which saves a wait, or after a second in silence.
    constexpr int kSilence = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_DEFER_ACCEPT, &kSilence, sizeof kSilence);
    // The kernel would take megabytes for a client that reads slowly. This is what it may hold beyond what is on the wire.
    constexpr int kMostUnsent = 256 * 1024;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kMostUnsent, sizeof kMostUnsent);
    if (endpoint.family() == AF_INET6) {
      const auto bytes = endpoint.bytes();
      const bool any = bytes == std::array<std::uint8_t, 16>{};
      const int v6_only = any ? 0 : 1;
      ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
    }
  } else if (stale_socket_file(endpoint)) {
    ::unlink(reinterpret_cast<const sockaddr_un*>(endpoint.data())->sun_path);
  }
  if (::bind(descriptor, endpoint.data(), endpoint.size()) != 0 || ::listen(descriptor, backlog) != 0) {
    bound.error = explain(endpoint, "listen on");
    ::close(descriptor);
    return bound;
  }
  socklen_t size = Endpoint::capacity();
  ::getsockname(descriptor, bound.endpoint.data(), &size);
  bound.endpoint.resize(size);
  bound.descriptor = descriptor;
  return bound;
}

Listener::Listener(boost::asio::io_context& io, int descriptor, OnAccept on_accept, OnExhausted on_exhausted)
    : descriptor_(io, descriptor), pause_(io), on_accept_(std::move(on_accept)), on_exhausted_(std::move(on_exhausted)) {}

boost::asio::awaitable<void> Listener::run() {
  while (descriptor_.is_open()) {
    const auto [error] = co_await descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read, use_result);
    if (error) co_return;
    if (accept_some(kAcceptsAtOnce)) continue;
    pause_.expires_after(kPause);
    const auto [stopped] = co_await pause_.async_wait(use_result);
    if (stopped) co_return;
  }
}

bool Listener::accept_some(int most) {
  for (int i = 0; i < most && descriptor_.is_open(); ++i) {
    Endpoint peer;
    socklen_t size = Endpoint::capacity();
    const int socket = ::accept4(descriptor_.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
      peer.resize(size);
      on_accept_(socket, peer);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      on_exhausted_(std::strerror(errno));
      return false;
    }
    // Anything else concerns one connection that is gone already (accept(2)), or there is none left.
    if (errno != ECONNABORTED && errno != EINTR && errno != EPROTO) break;
  }
  return true;
}

void Listener::hand_over_at_once() noexcept {
  const int at_once = 0;
  ::setsockopt(descriptor_.native_handle(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &at_once, sizeof at_once);
}

Descriptor Listener::copy() { return Descriptor(::fcntl(descriptor_.native_handle(), F_DUPFD_CLOEXEC, 0)); }

void Listener::close() {
  // Who stands in the queue was let in by the kernel: closing it now would reset them.
  accept_some(kAcceptsAtTheEnd);
  boost::system::error_code ignored;
  descriptor_.close(ignored);
  pause_.cancel();
}

}  // namespace gatehouse::net
