#include "proxy/tunnel.hpp"

#include "proxy/proxy_exchange.hpp"
#include "proxy/worker_state.hpp"

namespace gatehouse::proxy {
namespace {

struct Direction {
  net::Stream& from;
  net::Stream& to;
  ByteSource& bytes;
  net::BufferPool& pool;
  net::Clock::duration idle;
  std::uint64_t* count;
};

// False when the tunnel broke; true at an orderly end of this direction.
awaitable<bool> pump(Direction way) {
  for (;;) {
    while (!way.bytes.empty()) {
      const auto held = way.bytes.bytes();
      iovec part{const_cast<char*>(held.data()), held.size()};
      const error_code error = co_await way.to.write_all({&part, 1}, way.idle);
      if (error) co_return false;
      *way.count += held.size();
      way.bytes.consume(held.size());
    }
    way.bytes.release();
    // Both sides live as long as bytes move in either direction.
    const auto until = net::Clock::now() + way.idle;
    way.from.set_deadline(until);
    way.to.set_deadline(until);
    if (!way.from.has_pending()) {
      const error_code error = co_await way.from.wait(net::Direction::kRead);
      if (error) co_return false;
    }
    const net::IoResult got = way.bytes.fill(way.from, way.pool);
    if (got.status == net::IoStatus::kClosed) {
      way.to.shutdown_send();
      co_return true;
    }
    if (got.status == net::IoStatus::kFailed) co_return false;
  }
}

// A direction that broke takes the other one with it.
awaitable<void> run_way(Direction way, Signal& ended) {
  const bool orderly = co_await pump(way);
  if (!orderly) {
    way.from.cancel();
    way.to.cancel();
  }
  ended.raise();
}

}  // namespace

awaitable<void> run_tunnel(ProxyExchange& exchange, ByteSource& from_client) {
  WorkerState& worker = exchange.worker;
  net::Stream& upstream = exchange.connection->stream;
  exchange.abandon_watch.stop();
  worker.metrics.tunnels_open.add();
  std::uint64_t from_client_bytes = 0;
  const net::Clock::duration idle = exchange.snapshot->settings.deadlines.tunnel_idle;
  const Direction up{exchange.downstream, upstream, from_client, worker.small_buffers, idle, &from_client_bytes};
  const Direction down{upstream, exchange.downstream, exchange.upstream_bytes, worker.small_buffers, idle, &exchange.measures.response_bytes};
  Signal up_ended(worker.io);
  Signal down_ended(worker.io);
  worker.tasks.spawn(run_way(down, down_ended));
  co_await run_way(up, up_ended);
  co_await down_ended.wait();
  worker.metrics.tunnels_open.subtract();
}

}  // namespace gatehouse::proxy
