#include "upstream/cluster.hpp"

#include "http/syntax.hpp"
#include "net/resolver.hpp"

#include <gatehouse/message.hpp>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace gatehouse::upstream {

using boost::asio::awaitable;

namespace {

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::chrono::milliseconds kSlotPoll{5};
constexpr std::chrono::milliseconds kUploadPoll{50};  // many may wait, and none of them is in a hurry
constexpr std::chrono::milliseconds kFirstRetry{25};
constexpr std::chrono::milliseconds kLastRetry{500};

observe::Counter& gauge(observe::WorkerMetrics& metrics, CircuitState state) {
  switch (state) {
    case CircuitState::kClosed: return metrics.circuits_closed;
    case CircuitState::kOpen: return metrics.circuits_open;
    case CircuitState::kHalfOpen: return metrics.circuits_half_open;
  }
  return metrics.circuits_closed;
}

std::string_view name(CircuitState state) noexcept {
  switch (state) {
    case CircuitState::kClosed: return "closed";
    case CircuitState::kOpen: return "open";
    case CircuitState::kHalfOpen: return "half_open";
  }
  return "closed";
}

std::string_view sentence(CircuitState state) noexcept {
  switch (state) {
    case CircuitState::kClosed: return "the circuit is closed: the app answers again";
    case CircuitState::kOpen: return "the circuit is open: the app fails requests, which are refused at once for a while";
    case CircuitState::kHalfOpen: return "the circuit is half open: a few requests are tried";
  }
  return {};
}

}  // namespace

Cluster::Cluster(boost::asio::io_context& io, net::TimerWheel& wheel, ClusterSettings settings,
                 observe::WorkerMetrics& metrics, SharedConnections& shared)
    : io_(io),
      wheel_(wheel),
      settings_(std::move(settings)),
      metrics_(metrics),
      shared_(shared),
      pool_(settings_.idle_connections, settings_.idle_timeout, metrics),
      circuit_(settings_.circuit.value_or(CircuitSettings{})) {
  if (!settings_.circuit) return;
  circuit_.on_change([this](CircuitState from, CircuitState to) {
    if (used_) gauge(metrics_, from).subtract();
    if (used_) gauge(metrics_, to).add();
    metrics_.circuit_changes.add(name(to));
    if (on_event_) on_event_(std::string(sentence(to)));
  });
}

Cluster::~Cluster() {
  if (used_ && settings_.circuit) gauge(metrics_, circuit_.state()).subtract();
}

// Gauges have one writer, the worker's thread; a cluster is made on another.
void Cluster::begin_use() {
  if (!used_ && settings_.circuit) gauge(metrics_, circuit_.state()).add();
  used_ = true;
}

// False when no connection became free in time, or too many wait already.
awaitable<bool> Cluster::wait_for_slot() {
  const auto free = [this] { return shared_.open.load(std::memory_order_relaxed) < settings_.max_connections; };
  if (waiting_ >= settings_.wait_queue) co_return false;
  ++waiting_;
  shared_.waiting.fetch_add(1, std::memory_order_relaxed);
  metrics_.upstream_waits.add();
  const auto until = net::Clock::now() + settings_.connect_timeout;
  boost::asio::steady_timer timer(io_);
  // The connections of the other workers count too, and these do not tell when they end: look again soon.
  while (!free() && pool_.size() == 0 && net::Clock::now() < until) {
    timer.expires_after(kSlotPoll);
    co_await timer.async_wait(use_result);
  }
  shared_.waiting.fetch_sub(1, std::memory_order_relaxed);
  --waiting_;
  co_return free();
}

awaitable<std::optional<UploadPlace>> Cluster::upload_place() {
  const auto most = settings_.max_connections - settings_.max_connections / 4;
  const auto enter = [this, most] {
    if (shared_.uploads.fetch_add(1, std::memory_order_relaxed) < most) return true;
    shared_.uploads.fetch_sub(1, std::memory_order_relaxed);
    return false;
  };
  bool entered = enter();
  if (!entered && uploads_waiting_ < settings_.wait_queue) {
    ++uploads_waiting_;
    metrics_.upstream_waits.add();
    const auto until = net::Clock::now() + settings_.connect_timeout;
    boost::asio::steady_timer timer(io_);
    while (!entered && net::Clock::now() < until) {
      timer.expires_after(kUploadPoll);
      co_await timer.async_wait(use_result);
      entered = enter();
    }
    --uploads_waiting_;
  }
  if (!entered) co_return std::nullopt;
  co_return UploadPlace(shared_.uploads);
}

awaitable<result<std::unique_ptr<Connection>>> Cluster::connect(Patience patience) {
  if (shared_.open.load(std::memory_order_relaxed) >= settings_.max_connections) {
    const bool slot = co_await wait_for_slot();
    // While waiting, this worker may have got one back.
    if (auto idle = pool_.take()) co_return idle;
    if (!slot) co_return make_error_code(errc::too_large);
  }
  auto connection = co_await connect_once();
  if (connection || patience == Patience::kNone || settings_.wait_for_app.count() == 0 || connection.error() == errc::exhausted) co_return connection;
  if (waiting_ >= settings_.wait_queue) co_return make_error_code(errc::too_large);
  ++waiting_;
  metrics_.upstream_waits.add();
  const auto until = net::Clock::now() + settings_.wait_for_app;
  auto pause = kFirstRetry;
  boost::asio::steady_timer timer(io_);
  while (!connection && net::Clock::now() < until) {
    timer.expires_after(pause);
    pause = std::min(pause * 2, kLastRetry);
    co_await timer.async_wait(use_result);
    auto again = co_await connect_once();
    connection = std::move(again);
  }
  --waiting_;
  co_return connection;
}

awaitable<result<std::unique_ptr<Connection>>> Cluster::connect_once() {
  if (endpoints_.empty()) {
    if (!settings_.unix_path.empty()) {
      const auto path = net::Endpoint::unix_path(settings_.unix_path);
      if (!path) co_return path.error();
      endpoints_.push_back(*path);
    } else {
      const auto resolved = co_await net::resolve(io_, settings_.host, settings_.port);
      if (!resolved) {
        metrics_.upstream_connect_failures.add();
        co_return resolved.error();
      }
      endpoints_ = *resolved;
    }
  }
  // A copy: another exchange may resolve anew while this one waits.
  const std::vector<net::Endpoint> endpoints = endpoints_;
  error_code last = errc::unreachable;
  for (const net::Endpoint& endpoint : endpoints) {
    auto connection = co_await connect_to(endpoint);
    if (connection) co_return connection;
    last = connection.error();
    if (last == errc::exhausted) break;
  }
  metrics_.upstream_connect_failures.add();
  endpoints_.clear();
  co_return last;
}

awaitable<result<std::unique_ptr<Connection>>> Cluster::connect_to(net::Endpoint endpoint) {
  const int socket = ::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) co_return make_error_code(errc::exhausted);
  if (!endpoint.is_unix()) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  shared_.open.fetch_add(1, std::memory_order_relaxed);
  auto connection = std::make_unique<Connection>(io_, wheel_, socket, &shared_.open);
  if (::connect(socket, endpoint.data(), endpoint.size()) != 0) {
    // A Unix socket with a full backlog says EAGAIN and cannot be waited for.
    if (errno != EINPROGRESS) co_return make_error_code(errc::unreachable);
    connection->stream.set_deadline(net::Clock::now() + settings_.connect_timeout);
    const error_code error = co_await connection->stream.wait(net::Direction::kWrite);
    if (error) co_return error == errc::timeout ? make_error_code(errc::timeout) : make_error_code(errc::unreachable);
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) co_return make_error_code(errc::unreachable);
    connection->stream.clear_deadline();
  }
  metrics_.upstream_connections_opened.add();
  metrics_.upstream_connections_open.add();
  co_return connection;
}

void Cluster::give_back(std::unique_ptr<Connection> connection, std::string_view keep_alive) {
  const net::Clock::duration idle = settings_.idle_timeout;
  // Only other workers' requests wait: a connection that rests here would keep its place from them.
  if (waiting_ == 0 && shared_.waiting.load(std::memory_order_relaxed) > 0) return discard(std::move(connection));
  pool_.give_back(std::move(connection), keep_alive.empty() ? idle : learned_idle(keep_alive, idle));
}

void Cluster::discard(std::unique_ptr<Connection> connection) noexcept {
  if (connection) metrics_.upstream_connections_open.subtract();
}

net::Clock::duration learned_idle(std::string_view keep_alive, net::Clock::duration most) noexcept {
  net::Clock::duration idle = most;
  http::for_each_element(keep_alive, [&](std::string_view parameter) {
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(http::trim(parameter.substr(0, equals)), "timeout"))
      return true;
    const auto seconds = http::parse_decimal(http::trim(parameter.substr(equals + 1)));
    if (seconds && *seconds < 86400) idle = std::min<net::Clock::duration>(most, std::chrono::seconds(*seconds) - std::chrono::seconds(1));
    return false;
  });
  return idle;
}

}  // namespace gatehouse::upstream
