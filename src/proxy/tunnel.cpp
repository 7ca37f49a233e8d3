#include "proxy/tunnel.hpp"

#include "proxy/proxy_exchange.hpp"
#include "proxy/worker_state.hpp"

namespace gatehouse::proxy {
namespace {

// For a side that was told to go: to answer, and to close.
constexpr std::chrono::seconds kGoodbye{5};

}  // namespace

Tunnel::Tunnel(ProxyExchange& exchange, ByteSource& from_client)
    : exchange_(exchange),
      up_{exchange.downstream, exchange.connection->stream, from_client, from_client_bytes_, true},
      down_{exchange.connection->stream, exchange.downstream, exchange.upstream_bytes, exchange.measures.response_bytes, false} {
  exchange_.tunnel = this;
  exchange_.worker.metrics.tunnels_open.add();
}

Tunnel::~Tunnel() {
  exchange_.worker.metrics.tunnels_open.subtract();
  exchange_.tunnel = nullptr;
}

awaitable<void> Tunnel::run() {
  exchange_.abandon_watch.stop();
  Signal up_ended(exchange_.worker.io);
  Signal down_ended(exchange_.worker.io);
  // The process began to stop while the app was still agreeing to this connection.
  if (exchange_.worker.leaving) leaving_ = true;
  exchange_.worker.tasks.spawn(run_way(down_, up_, down_ended));
  co_await run_way(up_, down_, up_ended);
  co_await down_ended.wait();
}

// A direction that broke takes the other one with it.
awaitable<void> Tunnel::run_way(Way& way, Way& other, Signal& ended) {
  const bool orderly = co_await pump(way, other);
  if (!orderly) {
    way.from.cancel();
    way.to.cancel();
  }
  ended.raise();
}

// False when the tunnel broke; true at an orderly end of this direction.
awaitable<bool> Tunnel::pump(Way& way, Way& other) {
  for (;;) {
    while (!way.bytes.empty()) {
      const auto held = way.bytes.bytes();
      std::size_t size = 0;
      // All of it; or up to the end of a frame, where there is something to say.
      do size += way.frames.take(held.substr(size));
      while (size < held.size() && !(leaving_ && way.frames.between()));
      const auto some = held.substr(0, size);
      if (!way.told) {
        const bool written = co_await write(way, some);
        if (!written) co_return false;
        way.count += some.size();
      }
      way.bytes.consume(some.size());
      if (leaving_ && !way.told && way.frames.between()) break;
    }
    if (leaving_ && !way.told && way.frames.between()) {
      way.told = true;
      const GoodbyeFrame goodbye(way.masked);
      const bool written = co_await write(way, goodbye.bytes());
      if (!written) co_return false;
      way.to.shutdown_send();
      // It was not woken while this one wrote.
      wake(other, way);
      continue;
    }
    way.bytes.release();
    // Both sides live as long as bytes move in either direction.
    const auto idle = net::Clock::duration(exchange_.snapshot->settings.deadlines.tunnel_idle);
    const auto until = net::Clock::now() + (leaving_ ? std::min<net::Clock::duration>(idle, kGoodbye) : idle);
    way.from.set_deadline(until);
    way.to.set_deadline(until);
    if (!way.from.has_pending()) {
      way.reading = true;
      const error_code error = co_await way.from.wait(net::Direction::kRead);
      way.reading = false;
      if (error == errc::cancelled && leaving_ && !way.told) continue;
      if (error) co_return false;
    }
    const net::IoResult got = way.bytes.fill(way.from, exchange_.worker.small_buffers);
    if (got.status == net::IoStatus::kClosed) {
      if (!way.told) way.to.shutdown_send();
      co_return true;
    }
    if (got.status == net::IoStatus::kFailed) co_return false;
  }
}

awaitable<bool> Tunnel::write(Way& way, std::string_view bytes) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  way.writing = true;
  const error_code error = co_await way.to.write_all({&part, 1}, exchange_.snapshot->settings.deadlines.tunnel_idle);
  way.writing = false;
  co_return !error;
}

void Tunnel::leave() noexcept {
  if (leaving_) return;
  leaving_ = true;
  wake(up_, down_);
  wake(down_, up_);
}

// An interruption ends every wait on a stream: not while the other direction writes to it.
void Tunnel::wake(Way& way, const Way& other) noexcept {
  if (leaving_ && way.reading && !way.told && !other.writing) way.from.interrupt();
}

}  // namespace gatehouse::proxy
