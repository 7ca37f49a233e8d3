#include "health/dialer.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <algorithm>
#include <cerrno>

namespace gatehouse::health {
namespace {

std::vector<net::Endpoint> look_up(const std::string& host, std::uint16_t port) {
  std::vector<net::Endpoint> found;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const std::string service = std::to_string(port);
  if (::getaddrinfo(host.c_str(), service.c_str(), &hints, &list) != 0) return found;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next)
    found.emplace_back(entry->ai_addr, entry->ai_addrlen);
  ::freeaddrinfo(list);
  return found;
}

}  // namespace

Dialer::Dialer(boost::asio::io_context& io, net::TimerWheel& wheel, Place place)
    : io_(io), wheel_(wheel), place_(std::move(place)), lookup_(io, wheel) {}

net::awaitable<result<std::vector<net::Endpoint>>> Dialer::addresses(net::Clock::time_point until) {
  std::vector<net::Endpoint> endpoints;
  const auto literal = place_.unix_path.empty() ? net::Endpoint::ip(place_.host, place_.port)
                                                : net::Endpoint::unix_path(place_.unix_path);
  if (literal) {
    endpoints.push_back(*literal);
    co_return endpoints;
  }
  if (!place_.unix_path.empty()) co_return literal.error();
  const auto work = [host = place_.host, port = place_.port] { return look_up(host, port); };
  std::function<std::vector<net::Endpoint>()> call = work;
  auto found = co_await lookup_.run(std::move(call), until);
  if (!found || found->empty()) co_return make_error_code(errc::unresolved);
  co_return std::move(*found);
}

net::awaitable<result<std::unique_ptr<net::Stream>>> Dialer::connect(net::Clock::time_point until) {
  const auto found = co_await addresses(until);
  if (!found) co_return found.error();
  error_code last = errc::unreachable;
  for (std::size_t i = 0; i < found->size(); ++i) {
    auto stream = co_await connect_to((*found)[i], share_of(until, found->size() - i));
    if (stream) co_return stream;
    last = stream.error();
  }
  co_return last;
}

net::awaitable<result<std::unique_ptr<net::Stream>>> Dialer::connect_to(net::Endpoint endpoint,
                                                                        net::Clock::time_point until) {
  const int socket = ::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) co_return make_error_code(errc::exhausted);
  auto stream = std::make_unique<net::Stream>(io_, wheel_, socket);
  if (::connect(socket, endpoint.data(), endpoint.size()) == 0) co_return stream;
  if (errno != EINPROGRESS) co_return make_error_code(errc::unreachable);
  stream->set_deadline(until);
  const error_code error = co_await stream->wait(net::Direction::kWrite);
  if (error == errc::timeout) co_return error;
  int failure = 0;
  socklen_t size = sizeof failure;
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size);
  if (error || failure != 0) co_return make_error_code(errc::unreachable);
  co_return stream;
}

net::Clock::time_point share_of(net::Clock::time_point until, std::size_t left) {
  const auto now = net::Clock::now();
  return until <= now ? until : now + (until - now) / static_cast<int>(std::max<std::size_t>(left, 1));
}

std::string explain(const error_code& error) {
  if (error == errc::unreachable) return "does not accept connections";
  if (error == errc::timeout) return "did not answer in time";
  if (error == errc::unresolved) return "its name does not resolve";
  if (error == errc::closed || error == errc::reset) return "ended the connection without an answer";
  if (error == errc::malformed || error == errc::too_large) return "answered in another protocol";
  if (error == errc::exhausted) return "could not be asked: no descriptor or memory is left here";
  if (error == errc::tls) return "the TLS connection failed: check its certificate and name";
  return "could not be asked";
}

net::awaitable<error_code> send(net::Stream& stream, std::string_view bytes, net::Clock::time_point until) {
  while (!bytes.empty()) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    const net::IoResult sent = stream.try_write({&part, 1});
    if (sent.status == net::IoStatus::kDone) {
      bytes.remove_prefix(sent.bytes);
      continue;
    }
    if (sent.status != net::IoStatus::kWouldBlock) co_return errc::reset;
    stream.set_deadline(until);
    const error_code error = co_await stream.wait(sent.want);
    if (error) co_return error;
  }
  co_return error_code{};
}

net::awaitable<error_code> receive(net::Stream& stream, std::string& into, std::size_t most,
                                   net::Clock::time_point until) {
  for (;;) {
    char bytes[2048];
    const net::IoResult got = stream.try_read(bytes);
    if (got.status == net::IoStatus::kDone) {
      if (into.size() + got.bytes > most) co_return errc::too_large;
      into.append(bytes, got.bytes);
      // A peer that always has another byte would otherwise never meet the deadline.
      co_return net::Clock::now() < until ? error_code{} : make_error_code(errc::timeout);
    }
    if (got.status == net::IoStatus::kClosed) co_return errc::closed;
    if (got.status != net::IoStatus::kWouldBlock) co_return errc::reset;
    stream.set_deadline(until);
    const error_code error = co_await stream.wait(got.want);
    if (error) co_return error;
  }
}

}  // namespace gatehouse::health
