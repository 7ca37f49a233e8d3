#include "proxy/forward.hpp"

#include "http/hop_by_hop.hpp"
#include "http/h1_writer.hpp"
#include "http/syntax.hpp"
#include "proxy/proxy_exchange.hpp"
#include "proxy/tries.hpp"
#include "proxy/upload.hpp"
#include "proxy/worker_state.hpp"

#include <cstring>

namespace gatehouse::proxy {
namespace {

constexpr int kMostInterimResponses = 16;
// A pool full of connections that the app has closed must not exhaust a request's chances, nor feed one for ever.
constexpr int kMostReplays = 3;
// A body of at most that size is waited for before the app is asked: no connection to the app is held by a client that sends a
// small one slowly, and the request can be sent again.
constexpr std::uint64_t kSmallBody = 8192;

bool idempotent(Method method) noexcept {
  switch (method) {
    case Method::kGet:
    case Method::kHead:
    case Method::kOptions:
    case Method::kTrace:
    case Method::kPut:
    case Method::kDelete: return true;
    case Method::kPost:
    case Method::kPatch:
    case Method::kConnect:
    case Method::kOther: return false;
  }
  return false;
}

// An address as RFC 7239 writes it.
std::string_view forwarded_node(std::string_view address, Arena& arena) {
  if (address == "unix") return "unknown";
  return address.find(':') == std::string_view::npos ? address : arena.join({"\"[", address, "]\""});
}

void set_forwarded_fields(ProxyExchange& exchange) {
  Headers& headers = exchange.request().headers;
  Arena& arena = exchange.arena();
  const auto scheme = exchange.client_scheme == Scheme::kHttps ? "https" : "http";
  // What an untrusted peer says of the way here is dropped; a trusted one's list is carried on. It writes one of the two
  // fields and passes the client's version of the other on: that one is made anew from what is known.
  const bool rfc7239 = exchange.snapshot->settings.forwarded.source == ForwardedSource::kForwarded;
  const bool told_client = exchange.peer_trusted && exchange.client.text != exchange.peer.text;
  std::string_view before;
  if (exchange.peer_trusted && !rfc7239) before = headers.joined(FieldId::x_forwarded_for, ", ");
  if (told_client && rfc7239) before = exchange.client.text;
  headers.set_view(FieldId::x_forwarded_for, before.empty() ? exchange.peer.text : arena.join({before, ", ", exchange.peer.text}));
  headers.set_view(FieldId::x_forwarded_proto, scheme);
  if (!exchange.peer_trusted || headers.find(FieldId::x_forwarded_host) == nullptr) {
    if (exchange.request().authority.empty())
      headers.remove(FieldId::x_forwarded_host);
    else
      headers.set_view(FieldId::x_forwarded_host, exchange.request().authority);
  }
  if (!exchange.peer_trusted) {
    headers.remove(FieldId::x_forwarded_port);
    headers.remove(FieldId::x_real_ip);
  }
  const auto node = forwarded_node(exchange.peer.text, arena);
  const auto element = exchange.request().authority.empty()
                           ? arena.join({"for=", node, ";proto=", scheme})
                           : arena.join({"for=", node, ";host=\"", exchange.request().authority, "\";proto=", scheme});
  std::string_view told;
  if (exchange.peer_trusted && rfc7239) told = headers.joined(FieldId::forwarded, ", ");
  if (told_client && !rfc7239) told = arena.join({"for=", forwarded_node(exchange.client.text, arena)});
  headers.set_view(FieldId::forwarded, told.empty() ? element : arena.join({told, ", ", element}));
}

bool worth_waiting_for(const ProxyExchange& exchange) noexcept {
  const http::Framing& framing = exchange.head.framing;
  // Whoever expects 100 (Continue) wants to hear of the app's answer before the body is sent; and a filter may have put a reader of
  // its own in front.
  return exchange.request().body.rest == &exchange.client_body && framing.kind == http::Framing::Kind::kLength &&
         framing.length <= kSmallBody && !exchange.head.expects_continue;
}

// Takes the whole body out of the client's connection. False: see ClientBody::failure().
awaitable<bool> collect_body(ProxyExchange& exchange) {
  const auto length = static_cast<std::size_t>(exchange.head.framing.length);
  char* const bytes = static_cast<char*>(exchange.arena().allocate(length));
  std::size_t have = 0;
  for (;;) {
    const auto piece = co_await exchange.client_body.read();
    if (!piece) co_return false;
    if (piece->empty()) break;
    std::memcpy(bytes + have, piece->data(), piece->size());
    have += piece->size();
  }
  exchange.request().body.ready = {bytes, have};
  exchange.request().body.rest = nullptr;
  // Until here it was the client who took the time.
  exchange.measures.head_read = net::Clock::now();
  co_return true;
}

// One attempt: what it came to.
struct Attempt {
  bool answered = false;  // the response head is in `response`
  UpstreamFailure failure = UpstreamFailure::kUnreachable;
  bool nothing_received = true;  // not one byte of a response
  bool nothing_sent = false;     // not one byte of the request left
};

Attempt failed(UpstreamFailure failure, bool nothing_received = true) { return {false, failure, nothing_received, false}; }

// Parses one response head out of the bytes received; the head is copied, for the buffer is needed for the body.
std::optional<Attempt> parse_head(ProxyExchange& exchange, const http::HeadScanner::Result& found, Response& response,
                                  http::ResponseHead& head) {
  const auto bytes = exchange.arena().copy(exchange.upstream_bytes.bytes().substr(0, found.end));
  exchange.upstream_bytes.consume(found.end);
  const auto error = http::parse_response_head(bytes, exchange.snapshot->settings.response, exchange.request().method, response, head);
  if (error) return failed(UpstreamFailure::kMalformedResponse, false);
  return std::nullopt;
}

// Early hints (RFC 8297) are worth passing on; a client that cannot take them now misses nothing.
awaitable<void> pass_early_hints(ProxyExchange& exchange, Response& hints) {
  if (exchange.request().minor_version == 0) co_return;
  http::remove_hop_by_hop(hints.headers);
  const auto head = http::write_interim_head(hints, exchange.arena());
  iovec part{const_cast<char*>(head.data()), head.size()};
  const error_code error = co_await exchange.downstream.write_all({&part, 1}, exchange.snapshot->settings.deadlines.write_idle);
  static_cast<void>(error);  // the final response will meet the same client
}

// A few bytes or many: answers of a route resemble each other, and a buffer that suits them keeps the memory of many requests small.
net::BufferPool& buffers_for(const ProxyExchange& exchange) noexcept {
  constexpr std::uint64_t kFitsSmall = 3072;
  constexpr std::uint64_t kMoved = 64 * 1024;  // past our memory, but for the beginning
  const std::uint64_t likely = exchange.route_entry->last_answer;
  return likely <= kFitsSmall || (likely >= kMoved && !exchange.downstream.is_tls()) ? exchange.worker.small_buffers
                                                                                     : exchange.worker.large_buffers;
}

// Sends the head and what of the body is here, then reads heads until one is final (RFC 9110 15.2); interim ones are for this hop.
awaitable<Attempt> attempt(ProxyExchange& exchange, std::string_view head_bytes, Response& response, http::ResponseHead& head) {
  Request& request = exchange.request();
  net::Stream& stream = exchange.connection->stream;
  iovec parts[2] = {{const_cast<char*>(head_bytes.data()), head_bytes.size()},
                    {const_cast<char*>(request.body.ready.data()), request.body.ready.size()}};
  std::span<iovec> left(parts, request.body.ready.empty() ? 1 : 2);
  const net::IoResult written = stream.try_write(left);
  if (written.status == net::IoStatus::kFailed) {
    // The kernel took nothing: the app cannot have seen the request, whatever its method.
    Attempt nothing = failed(UpstreamFailure::kResetBeforeResponse);
    nothing.nothing_sent = true;
    co_return nothing;
  }
  left = net::consume(left, written.bytes);
  if (!left.empty()) {
    const error_code error = co_await stream.write_all(left, exchange.route_entry->settings.first_byte_timeout);
    if (error == errc::timeout) co_return failed(UpstreamFailure::kFirstByteTimeout);
    // A broken pipe may hide an early answer: read before giving up.
  }
  if (request.body.rest != nullptr) start_upload(exchange);

  const auto& limits = exchange.snapshot->settings.response;
  // While the request is still on its way the app owes nothing; the upload starts this clock when it ends.
  if (exchange.upload && !exchange.upload->ended.raised())
    stream.clear_deadline();
  else
    stream.set_deadline(exchange.measures.upstream_connected + exchange.route_entry->settings.first_byte_timeout);
  exchange.abandon_watch.watch(stream, exchange.measures.upstream_connected);
  int interim = 0;
  bool received = false;
  http::HeadScanner scanner(http::Side::kResponse);
  for (;;) {
    if (!exchange.upstream_bytes.empty()) {
      const auto found = scanner.scan(exchange.upstream_bytes.bytes(), limits);
      if (found.error)
        co_return failed(*found.error == http::HeadError::head_too_large ? UpstreamFailure::kResponseHeadTooLarge
                                                                         : UpstreamFailure::kMalformedResponse, false);
      if (found.complete) {
        response = Response(exchange.arena());
        head = {};
        if (const auto attempt = parse_head(exchange, found, response, head)) co_return *attempt;
        if (response.status >= 200 || response.status == 101) {
          Attempt done;
          done.answered = true;
          co_return done;
        }
        if (response.status == 103) co_await pass_early_hints(exchange, response);
        if (++interim > kMostInterimResponses) co_return failed(UpstreamFailure::kMalformedResponse, false);
        scanner = http::HeadScanner(http::Side::kResponse);
        continue;
      }
      if (exchange.upstream_bytes.full()) {
        if (exchange.upstream_bytes.capacity() > limits.head_bytes()) co_return failed(UpstreamFailure::kResponseHeadTooLarge, false);
        exchange.upstream_bytes.move_to(exchange.worker.large_buffers, limits.head_bytes() + 1);
      }
    }
    // Readiness first: a read that finds nothing costs more than the wait that follows it anyway.
    const error_code error = co_await stream.wait(net::Direction::kRead);
    if (error) {
      const bool timed_out = error == errc::timeout;
      co_return failed(timed_out ? UpstreamFailure::kFirstByteTimeout : UpstreamFailure::kResetBeforeResponse, !received);
    }
    const net::IoResult got = exchange.upstream_bytes.fill(stream, buffers_for(exchange));
    if (got.status == net::IoStatus::kClosed) co_return failed(UpstreamFailure::kClosedBeforeResponse, !received);
    if (got.status == net::IoStatus::kFailed) co_return failed(UpstreamFailure::kResetBeforeResponse, !received);
    if (got.status == net::IoStatus::kDone && !received) {
      received = true;
      exchange.measures.upstream_first_byte = net::Clock::now();
    }
  }
}

// Fields that the response has for this hop only go; a length that describes what GET would bring stays.
void prepare_response(ProxyExchange& exchange, const http::ResponseHead& head, Response& response) {
  exchange.upstream_keep_alive = response.headers.value(FieldId::keep_alive);
  const auto length = response.headers.value(FieldId::content_length);
  const bool describes = exchange.request().method == Method::kHead || response.status == 304;
  http::remove_hop_by_hop(response.headers);
  if (describes && !length.empty()) response.headers.add_view("content-length", length);

  constexpr std::string_view kStreams[] = {"text/event-stream", "application/grpc", "application/x-ndjson", "multipart/x-mixed-replace"};
  const auto type = response.headers.value(FieldId::content_type);
  bool stream = false;
  for (const auto prefix : kStreams) stream = stream || equals_ignoring_case(type.substr(0, prefix.size()), prefix);
  const net::Clock::duration idle = stream ? net::Clock::duration::zero() : net::Clock::duration(exchange.route_entry->settings.read_idle_timeout);
  exchange.upstream_body.start(exchange.connection->stream, head.framing, exchange.snapshot->settings.chunks, idle);
  exchange.connection_reusable = head.keep_alive;
  response.body.length.reset();
  if (head.framing.kind == http::Framing::Kind::kLength) response.body.length = head.framing.length;
  if (head.framing.kind == http::Framing::Kind::kNone) response.body.length = 0;
  response.body.ready = exchange.upstream_body.ready();
  // A body that is over may still have trailers to tell.
  const bool over = exchange.upstream_body.done() && exchange.upstream_body.trailer_section().empty();
  response.body.rest = over ? nullptr : &exchange.upstream_body;
  if (exchange.upstream_body.done()) exchange.measures.upstream_ended = exchange.measures.upstream_first_byte;
}

// The app can be asked once more: it has not seen the request, or seeing it twice does no harm.
bool may_repeat(const ProxyExchange& exchange, const Attempt& lost) {
  if (!exchange.snapshot->settings.replay || !lost.nothing_received || exchange.abandon_watch.abandoned()) return false;
  if (lost.failure != UpstreamFailure::kClosedBeforeResponse && lost.failure != UpstreamFailure::kResetBeforeResponse) return false;
  if (exchange.upload) return false;  // what was read of the body is gone
  return lost.nothing_sent || idempotent(exchange.request().method);
}

}  // namespace

awaitable<Response> Forward::handle(Exchange& base) {
  auto& exchange = static_cast<ProxyExchange&>(base);
  Request& request = exchange.request();
  set_forwarded_fields(exchange);
  Tries tries(exchange);
  const auto& host = tries.pool().authority();
  const auto head_bytes = http::write_request_head(request, exchange.head.framing, host, exchange.head.upgrade, exchange.arena());

  if (worth_waiting_for(exchange)) {
    const bool collected = co_await collect_body(exchange);
    if (!collected) co_return refuse_body(exchange, exchange.client_body.failure());
  }
  exchange.measures.upstream_began = net::Clock::now();
  if (!tries.begin(exchange.measures.upstream_began)) {
    tries.refused();
    co_return refuse_open_circuit(exchange, tries.cluster().circuit().retry_after(exchange.measures.upstream_began));
  }
  const auto fail = [&](UpstreamFailure failure) {
    tries.failed(failure);
    Response refusal = refuse_upstream(exchange, failure);
    exchange.worker.metrics.upstream_failures.add(exchange.outcome().reason);
    return refusal;
  };
  exchange.worker.metrics.upstream_requests.add();
  if (request.body.rest != nullptr) {
    auto place = co_await tries.cluster().upload_place();
    exchange.upload_place = std::move(place);
    if (!exchange.upload_place) co_return fail(UpstreamFailure::kQueueFull);
  }
  const bool repeatable = exchange.snapshot->settings.replay && request.body.rest == nullptr && idempotent(request.method);
  using Repeat = upstream::Cluster::Repeat;
  tries.take_idle(repeatable ? Repeat::kPossible : Repeat::kImpossible);
  exchange.measures.upstream_connected = {};
  if (exchange.connection) exchange.measures.upstream_connected = exchange.upload_place ? net::Clock::now() : exchange.measures.upstream_began;
  Response response(exchange.arena());
  http::ResponseHead head;
  for (int replays = 0;;) {
    if (!exchange.connection) {
      const auto failure = co_await tries.connect();
      if (failure) co_return fail(*failure);
      exchange.measures.upstream_connected = net::Clock::now();
    }
    const bool reused = exchange.connection->reused;
    exchange.measures.upstream_connecting = reused ? exchange.measures.upstream_connected : exchange.connection->began;
    const Attempt result = co_await attempt(exchange, head_bytes, response, head);
    if (result.answered) break;
    exchange.abandon_watch.stop();
    tries.lost(result.failure);
    if (may_repeat(exchange, result)) {
      if (reused && replays++ < kMostReplays) {
        exchange.worker.metrics.upstream_replays.add();
        exchange.measures.replayed = true;
        ++exchange.measures.attempts;
        exchange.upstream_bytes.release();
        tries.cluster().discard(std::move(exchange.connection));
        continue;
      }
      if (tries.go_on(result.failure)) {
        exchange.measures.upstream_connected = net::Clock::now();
        continue;
      }
    }
    if (exchange.abandon_watch.abandoned()) {
      tries.abandoned();
      co_return exchange.refuse(499, "The client went away", "client_disconnected", ResponseFlag::kDownstreamReset);
    }
    if (exchange.upload && exchange.upload->client_failed) co_return refuse_body(exchange, exchange.client_body.failure());
    co_return fail(result.failure);
  }
  if (response.status == 101) {
    if (exchange.head.upgrade.empty() || head.upgrade != exchange.head.upgrade) {
      co_return fail(UpstreamFailure::kMalformedResponse);
    }
    exchange.switched_to = head.upgrade;
    http::remove_hop_by_hop(response.headers);
    tries.answered(response);
    co_return response;
  }
  prepare_response(exchange, head, response);
  if (exchange.upstream_body.failed()) {
    // Nothing has been sent yet: the client can be told, where later it could only be cut off.
    co_return fail(UpstreamFailure::kMalformedResponse);
  }
  tries.answered(response);
  co_return response;
}

bool upload_goes_on(const ProxyExchange& exchange) noexcept { return exchange.connection && exchange.upload && !exchange.upload->ended.raised(); }

// The response is complete and the client still sends: nobody wants the rest (RFC 9112 9.3 allows to close).
awaitable<void> stop_upload(ProxyExchange& exchange) {
  exchange.upload->stop = true;
  exchange.client_body.stop();
  exchange.connection->stream.cancel();
  co_await exchange.upload->ended.wait();
}

void finish_forward(ProxyExchange& exchange) {
  exchange.abandon_watch.stop();
  if (!exchange.connection) return;
  bool clean = exchange.connection_reusable && exchange.upstream_body.done() && exchange.upstream_bytes.empty();
  if (exchange.upload) clean = clean && exchange.upload->complete;
  exchange.upstream_bytes.release();
  exchange.route_entry->last_answer = exchange.measures.response_bytes;
  upstream::Cluster& cluster = exchange.place.member()->cluster();
  if (clean)
    cluster.give_back(std::move(exchange.connection), exchange.upstream_keep_alive);
  else
    cluster.discard(std::move(exchange.connection));
}

}  // namespace gatehouse::proxy
