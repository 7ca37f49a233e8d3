#include "proxy/upload.hpp"

#include "http/h1_writer.hpp"
#include "proxy/proxy_exchange.hpp"
#include "proxy/worker_state.hpp"

namespace gatehouse::proxy {
namespace {

iovec part(std::string_view text) noexcept { return {const_cast<char*>(text.data()), text.size()}; }

awaitable<void> send_rest(ProxyExchange& exchange) {
  net::Stream& stream = exchange.connection->stream;
  const bool chunked = exchange.head.framing.kind == http::Framing::Kind::kChunked;
  const net::Clock::duration idle = exchange.snapshot->settings.deadlines.body_idle;
  BodyReader& body = *exchange.request().body.rest;
  for (;;) {
    const auto piece = co_await body.read();
    if (exchange.upload->stop) co_return;
    if (!piece) {
      exchange.upload->client_failed = true;
      stream.cancel();
      co_return;
    }
    if (piece->empty()) break;
    if (exchange.captured) exchange.captured->request.add(*piece);
    std::array<char, 20> size;
    iovec parts[3] = {part(chunked ? http::write_chunk_size(piece->size(), size) : std::string_view{}), part(*piece), part(chunked ? "\r\n" : "")};
    const std::span<iovec> all(parts, 3);
    const error_code error = co_await stream.write_all(all, idle);
    if (error) co_return;
  }
  if (chunked) {
    Headers trailers(exchange.arena());
    http::parse_trailers(exchange.client_body.trailer_section(), trailers);
    const auto end = http::write_trailers(trailers, exchange.arena());
    iovec parts[2] = {part("0\r\n"), part(end)};
    const std::span<iovec> all(parts, 2);
    const error_code error = co_await stream.write_all(all, idle);
    if (error) co_return;
  }
  exchange.upload->complete = true;
}

awaitable<void> run_upload(ProxyExchange& exchange) {
  // Set up so that whoever waits is woken whatever happens.
  struct Raise {
    Signal& signal;
    ~Raise() { signal.raise(); }
  } const raise{exchange.upload->ended};
  co_await send_rest(exchange);
  exchange.upload_place.reset();
  // The app has what it gets: its time to the first byte begins now.
  if (exchange.measures.upstream_first_byte == Measures::TimePoint{})
    exchange.connection->stream.set_deadline(net::Clock::now() + exchange.route_entry->settings.first_byte_timeout);
}

}  // namespace

void start_upload(ProxyExchange& exchange) {
  exchange.upload = std::make_unique<Upload>(exchange.worker.io);
  exchange.worker.tasks.spawn(run_upload(exchange));
}

}  // namespace gatehouse::proxy
