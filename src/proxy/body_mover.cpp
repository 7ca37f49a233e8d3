#include "proxy/body_mover.hpp"

#include "proxy/worker_state.hpp"

#include <algorithm>

namespace gatehouse::proxy {
namespace {

// Below that two copies cost less than two more system calls.
constexpr std::uint64_t kWorthMoving = 32 * 1024;
constexpr std::uint64_t kAtOnce = 1024 * 1024;
// So much without a pause; then the other connections of this worker have their turn.
constexpr std::uint64_t kInARow = 4 * kAtOnce;

}  // namespace

bool can_move_body(const ProxyExchange& exchange, const Response& response) noexcept {
  return response.body.rest == &exchange.upstream_body && exchange.upstream_body.left() >= kWorthMoving && exchange.upstream_bytes.empty() &&
         !exchange.captured && !exchange.downstream.is_tls() && !exchange.connection->stream.is_tls();
}

awaitable<MoveEnd> move_body(ProxyExchange& exchange) {
  net::Stream& from = exchange.connection->stream;
  net::Stream& to = exchange.downstream;
  UpstreamBody& body = exchange.upstream_body;
  const net::Clock::duration write_idle = exchange.snapshot->settings.deadlines.write_idle;
  net::PipePool::Lease pipe = exchange.worker.pipes.borrow();
  if (!pipe) co_return MoveEnd{errc::exhausted};
  exchange.upstream_bytes.release();
  bool client_waited_for = false;
  std::uint64_t in_a_row = 0;
  while (body.left() > 0) {
    if (in_a_row >= kInARow) {
      in_a_row = 0;
      const error_code error = co_await body.wait();
      if (error) co_return MoveEnd{error};
    }
    const net::IoResult got = from.try_move_to(pipe.write(), std::min(body.left(), kAtOnce));
    if (got.status == net::IoStatus::kClosed) co_return MoveEnd{errc::closed};
    if (got.status == net::IoStatus::kFailed) co_return MoveEnd{errc::reset};
    if (got.status == net::IoStatus::kWouldBlock) {
      const error_code error = co_await body.wait();
      if (error) co_return MoveEnd{error};
      continue;
    }
    body.moved(got.bytes);
    in_a_row += got.bytes;
    pipe.held = got.bytes;
    while (pipe.held > 0) {
      const net::IoResult sent = to.try_move_from(pipe.read(), pipe.held, body.left() > 0);
      if (sent.status == net::IoStatus::kDone) {
        pipe.held -= sent.bytes;
        exchange.measures.response_bytes += sent.bytes;
        continue;
      }
      if (sent.status != net::IoStatus::kWouldBlock) co_return MoveEnd{errc::reset, true};
      to.set_deadline(net::Clock::now() + write_idle);
      client_waited_for = true;
      const error_code error = co_await to.wait(net::Direction::kWrite);
      if (error) co_return MoveEnd{error, true};
    }
  }
  if (client_waited_for) to.clear_deadline();
  co_return MoveEnd{};
}

}  // namespace gatehouse::proxy
