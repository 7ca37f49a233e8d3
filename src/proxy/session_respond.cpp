#include "proxy/session.hpp"

#include "http/h1_writer.hpp"
#include "proxy/body_mover.hpp"
#include "proxy/error_response.hpp"
#include "proxy/forward.hpp"
#include "proxy/tunnel.hpp"
#include "proxy/worker_state.hpp"

#include <array>

// A response on its way to the client: its head, its body, and what became of it when one side left.

namespace gatehouse::proxy {
namespace {

iovec part(std::string_view text) noexcept { return {const_cast<char*>(text.data()), text.size()}; }

}  // namespace

void Session::client_gone(ProxyExchange& exchange) {
  exchange.outcome() = {exchange.outcome().sidecar, "client_disconnected", ResponseFlag::kDownstreamReset};
  worker_.metrics.requests_abandoned.add();
}

awaitable<Session::After> Session::respond(ProxyExchange& exchange, Response& response) {
  Arena& arena = exchange.arena();
  const bool refused = exchange.refusal.kind != Refusal::Kind::kNone;
  const bool head_only = exchange.request().method == Method::kHead || response.status == 204 || response.status == 304;
  const unsigned minor = exchange.request().minor_version;
  if (exchange.abandon_watch.abandoned()) {
    exchange.measures.status = response.status;
    client_gone(exchange);
    co_return After::kGone;
  }
  if (exchange.outcome().sidecar && response.status >= 400) worker_.metrics.rejected.add(exchange.outcome().reason);

  if (response.status == 101 && !exchange.switched_to.empty()) {
    const auto head = http::write_response_head(response, {}, http::Persistence::kUpgrade, minor, exchange.switched_to,
                                                worker_.date.at(std::chrono::system_clock::to_time_t(exchange.received_at)), arena);
    iovec whole = part(head);
    const error_code error = co_await stream_.write_all({&whole, 1}, exchange.snapshot->settings.deadlines.write_idle);
    if (error) co_return After::kAbort;
    exchange.measures.status = 101;
    Tunnel tunnel(exchange, bytes_);
    co_await tunnel.run();
    co_return After::kTunnelEnded;
  }

  http::Framing framing;
  if (head_only)
    framing.kind = http::Framing::Kind::kNone;
  else if (response.body.rest == nullptr)
    framing = {http::Framing::Kind::kLength, response.body.ready.size()};
  else if (response.body.length)
    framing = {http::Framing::Kind::kLength, *response.body.length};
  else if (minor == 1)
    framing.kind = http::Framing::Kind::kChunked;
  else
    framing.kind = http::Framing::Kind::kUntilClose;

  // A body that has not been read to its end would be taken for the next request.
  const bool body_left = !exchange.client_body.done();
  const bool keep = exchange.head.keep_alive && !refused && !body_left && !over_limit_ &&
                    framing.kind != http::Framing::Kind::kUntilClose &&
                    !worker_.shared.draining.load(std::memory_order_relaxed);
  auto head = http::write_response_head(response, framing, keep ? http::Persistence::kKeepAlive : http::Persistence::kClose,
                                              minor, {}, worker_.date.at(std::chrono::system_clock::to_time_t(exchange.received_at)), arena);
  const bool chunked = framing.kind == http::Framing::Kind::kChunked;
  const auto ready = head_only ? std::string_view{} : response.body.ready;
  // Small answers leave in one piece: copying is cheaper than a gathered write.
  constexpr std::size_t kOnePiece = 1024;
  const bool one_piece = !chunked && !ready.empty() && ready.size() <= kOnePiece;
  if (one_piece) head = arena.join({head, ready});
  std::array<char, 20> size;
  iovec parts[4] = {part(head), {}, {}, {}};
  std::size_t count = 1;
  if (!ready.empty() && !one_piece) {
    if (chunked) parts[count++] = part(http::write_chunk_size(ready.size(), size));
    parts[count++] = part(ready);
    if (chunked) parts[count++] = part("\r\n");
  }
  exchange.measures.status = response.status;
  exchange.response_headers = response.headers;
  if (exchange.captured) exchange.captured->response.add(ready);
  const After after = keep ? After::kNextRequest : refused || body_left ? After::kLinger : After::kClose;
  const bool body_follows = !head_only && response.body.rest != nullptr;
  // Nothing stands between these bytes and the end of the connection, not even a wait.
  if (after == After::kClose && !body_follows && !upload_goes_on(exchange)) stream_.end_follows();
  std::span<iovec> left(parts, count);
  // The client can nearly always take a whole small answer: try before waiting.
  const net::IoResult written = stream_.try_write(left);
  if (written.status == net::IoStatus::kDone) left = net::consume(left, written.bytes);
  error_code error;
  if (written.status == net::IoStatus::kFailed || written.status == net::IoStatus::kClosed)
    error = errc::reset;
  else if (!left.empty()) {
    error = co_await stream_.write_all(left, exchange.snapshot->settings.deadlines.write_idle);
    // The client's time, not ours.
    if (exchange.measures.upstream_ended != Measures::TimePoint{}) exchange.measures.upstream_ended = net::Clock::now();
  }
  bool complete = !error;
  if (complete) exchange.measures.response_bytes += ready.size();
  if (complete && body_follows) complete = co_await relay_body(exchange, response, chunked);
  if (error) client_gone(exchange);
  co_return complete ? after : After::kAbort;
}

// Why the body of the answer broke off behind its head: the record must not blame the app for what the client did.
void Session::body_ended_early(ProxyExchange& exchange, const error_code& error) {
  if (exchange.abandon_watch.abandoned()) return client_gone(exchange);
  if (exchange.upload && exchange.upload->client_failed) {
    // Sets the outcome; the answer itself comes too late.
    static_cast<void>(refuse_body(exchange, exchange.client_body.failure()));
    worker_.metrics.rejected.add(exchange.outcome().reason);
    return;
  }
  const auto reason = error == errc::timeout     ? "upstream_body_timeout"
                      : error == errc::malformed ? "upstream_malformed_body"
                      : error == errc::cancelled ? "stopping"
                                                 : "upstream_body_incomplete";
  exchange.outcome() = {true, reason, ResponseFlag::kUpstreamReset};
  worker_.metrics.upstream_failures.add(reason);
  // It was counted when it began, and seemed good.
  if (exchange.went_well && error != errc::cancelled) exchange.pool->stats()->failures.add();
}

// From the app to the client, piece by piece; not reading is the back-pressure. False when it ended early on either side.
awaitable<bool> Session::relay_body(ProxyExchange& exchange, Response& response, bool chunked) {
  const net::Clock::duration idle = exchange.snapshot->settings.deadlines.write_idle;
  if (!chunked && can_move_body(exchange, response)) {
    const MoveEnd moved = co_await move_body(exchange);
    if (moved.error && moved.error != errc::exhausted) {
      if (moved.client_side)
        client_gone(exchange);
      else
        body_ended_early(exchange, moved.error);
      co_return false;
    }
  }
  for (;;) {
    const auto piece = co_await response.body.rest->read();
    if (!piece) {
      body_ended_early(exchange, piece.error());
      co_return false;
    }
    if (piece->empty()) break;
    std::array<char, 20> size;
    iovec parts[3] = {part(chunked ? http::write_chunk_size(piece->size(), size) : std::string_view{}), part(*piece), part(chunked ? "\r\n" : "")};
    const std::span<iovec> all = chunked ? std::span<iovec>(parts) : std::span<iovec>(parts + 1, 1);
    const error_code error = co_await stream_.write_all(all, idle);
    if (error) {
      client_gone(exchange);
      co_return false;
    }
    exchange.measures.response_bytes += piece->size();
    if (exchange.captured) exchange.captured->response.add(*piece);
  }
  exchange.measures.upstream_ended = net::Clock::now();
  if (!chunked) co_return true;
  Headers trailers(exchange.arena());
  http::parse_trailers(exchange.upstream_body.trailer_section(), trailers);
  const auto end = http::write_trailers(trailers, exchange.arena());
  iovec parts[2] = {part("0\r\n"), part(end)};
  const std::span<iovec> all(parts, 2);
  const error_code error = co_await stream_.write_all(all, idle);
  if (error) client_gone(exchange);
  co_return !error;
}

}  // namespace gatehouse::proxy
