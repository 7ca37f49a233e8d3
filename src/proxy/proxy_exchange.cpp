#include "proxy/proxy_exchange.hpp"

#include "proxy/worker_state.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gatehouse::proxy {

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);

awaitable<void> Signal::wait() {
  while (!raised_) co_await timer_.async_wait(use_result);
}

void AbandonWatch::on_expired() {
  const net::IoStatus status = downstream_.peek();
  if (status == net::IoStatus::kClosed || status == net::IoStatus::kFailed) {
    abandoned_ = true;
    upstream_->cancel();
    return;
  }
  set(downstream_.wheel(), net::Clock::now() + kPeriod);
}

ProxyExchange::ProxyExchange(Arena& arena, WorkerState& worker_state, const ListenerState& listener_state,
                             net::Stream& client_stream, ByteSource& client_bytes)
    : Exchange(arena),
      worker(worker_state),
      snapshot(worker_state.snapshot),
      listener(listener_state),
      downstream(client_stream),
      client_body(client_stream, client_bytes, worker_state.large_buffers),
      upstream_body(upstream_bytes, worker_state.large_buffers),
      abandon_watch(client_stream),
      response_headers(arena) {}

}  // namespace gatehouse::proxy
