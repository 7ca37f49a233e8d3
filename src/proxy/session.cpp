#include "proxy/session.hpp"

#include "http/hop_by_hop.hpp"
#include "http/h1_writer.hpp"
#include "http/proxy_protocol.hpp"
#include "http/refused_head.hpp"
#include "http/target.hpp"
#include "proxy/error_response.hpp"
#include "proxy/forward.hpp"
#include "proxy/tunnel.hpp"
#include "proxy/worker_state.hpp"

namespace gatehouse::proxy {
namespace {

iovec part(std::string_view text) noexcept { return {const_cast<char*>(text.data()), text.size()}; }

// How long bytes are read and thrown away after the last response, so that a client still sending gets to see it (RFC 9112
// 9.6): as long as they come, and in all.
constexpr std::chrono::seconds kLingerIdle{2};
constexpr std::chrono::seconds kLingerTime{30};

// Where the client spoke HTTP or nothing OpenSSL knows, its words have blanks: labels read better without.
std::string_view handshake_failure(const error_code& error, std::string_view tls_failure) noexcept {
  if (error == errc::timeout) return "timeout";
  if (error == errc::cancelled) return "draining";
  return tls_failure.empty() ? "connection broken" : tls_failure;
}

// A client that waits in silence, at most with an empty line (RFC 9112 2.2): it asked for nothing and is owed no answer.
bool asked_for_nothing(std::string_view bytes) noexcept { return bytes.empty() || bytes == "\r" || bytes == "\r\n"; }

}  // namespace

// What a client sees as an end of the connection has many reasons; these are the literals of the counter.
std::string_view Session::ended_by(After after) noexcept {
  switch (after) {
    case After::kNextRequest: break;
    case After::kClose: return "response_sent";
    case After::kLinger: return "request_refused";
    case After::kAbort: return "broken_off";
    case After::kGone: return "client_left";
    case After::kTunnelEnded: return "tunnel_ended";
  }
  return "client_closed";
}

Session::Session(WorkerState& worker, std::shared_ptr<const ListenerState> listener, int socket, const net::Endpoint& peer)
    : worker_(worker), listener_(std::move(listener)), stream_(worker.io, worker.wheel, socket), peer_(peer), address_{peer.bytes()} {
  worker_.metrics.connections_accepted.add();
  worker_.metrics.connections_open.add();
  if (listener_->counts)
    over_limit_ = worker_.shared.connections.fetch_add(1, std::memory_order_relaxed) >= worker_.shared.connection_limit.load(std::memory_order_relaxed);
  next_ = worker_.sessions_;
  if (next_ != nullptr) next_->previous_ = this;
  worker_.sessions_ = this;
}

Session::~Session() {
  (previous_ != nullptr ? previous_->next_ : worker_.sessions_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  if (counted_address_) worker_.shared.addresses.leave(address_);
  if (listener_->counts) worker_.shared.connections.fetch_sub(1, std::memory_order_relaxed);
  worker_.metrics.connections_open.subtract();
  worker_.metrics.connections_closed.add(ended_);
}

// Those of today: before and between requests a session follows the configuration.
const Deadlines& Session::deadlines() const noexcept { return worker_.snapshot->settings.deadlines; }

awaitable<void> Session::run() {
  if (listener_->proxy_protocol) {
    const bool known = co_await read_proxy_header();
    if (!known) {
      ended_ = "proxy_header";
      co_return;
    }
  }
  limit_address();
  if (over_limit_) worker_.metrics.connections_over_limit.add();
  if (listener_->tls) {
    worker_.metrics.connections_handshaking.add();
    const bool shaken = co_await handshake();
    worker_.metrics.connections_handshaking.subtract();
    if (!shaken) {
      ended_ = "tls_handshake";
      co_return;
    }
  }
  bool first = true;
  for (;;) {
    if (bytes_.empty() && !stream_.has_pending()) {
      const bool draining = worker_.shared.draining.load(std::memory_order_relaxed);
      if (!first && draining) {
        ended_ = "draining";
        break;
      }
      bytes_.release();
      // A new connection owes a head at once, a kept one may rest.
      const auto patience = !first ? deadlines().keep_alive : draining ? kDrainPatience : deadlines().request_head;
      stream_.set_deadline(net::Clock::now() + patience);
      idle_ = !first;
      unused_ = first;
      worker_.metrics.connections_idle.add();
      const error_code error = co_await stream_.wait(net::Direction::kRead);
      worker_.metrics.connections_idle.subtract();
      idle_ = unused_ = false;
      if (error) {
        ended_ = error == errc::timeout ? "idle_timeout" : error == errc::cancelled ? "draining" : "client_closed";
        break;
      }
    }
    const auto began = net::Clock::now();
    const auto received_at = std::chrono::system_clock::now();
    http::HeadScanner::Result found;
    const HeadResult read = co_await read_head(began, found);
    if (read != HeadResult::kComplete && asked_for_nothing(bytes_.bytes())) {
      if (read == HeadResult::kTimeout) ended_ = "idle_timeout";
      break;
    }
    // Not before the head is here: a slow one costs no more than the bytes that have come.
    auto scratch = worker_.borrow_scratch();
    ProxyExchange& exchange = scratch->exchange.emplace(scratch->arena, worker_, *listener_, stream_, bytes_);
    exchange.started_at = began;
    exchange.received_at = received_at;
    current_ = &exchange;
    const After after = co_await serve_one(exchange, read, found);
    current_ = nullptr;
    worker_.give_back(std::move(scratch));
    first = false;
    if (after == After::kNextRequest) continue;
    ended_ = ended_by(after);
    if (after == After::kAbort) {
      // The client must not take what it got for the whole (RFC 9112 8): a reset says so even where the end is the length.
      const struct linger reset{1, 0};
      ::setsockopt(stream_.native_handle(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      co_return;
    }
    stream_.shutdown_send();
    if (after == After::kLinger) co_await this->linger();
    co_return;
  }
  stream_.shutdown_send();
}

// The balancer's word on whom it speaks for. Read exactly, not a byte more: what follows is TLS's or HTTP's.
awaitable<bool> Session::read_proxy_header() {
  std::array<char, kMaxProxyHeader> header;
  std::size_t have = 0;
  stream_.set_deadline(net::Clock::now() + deadlines().request_head);
  for (;;) {
    const auto step = parse_proxy_header({header.data(), have});
    if (!step || step->length > header.size()) {
      worker_.metrics.rejected.add("malformed_proxy_header");
      co_return false;
    }
    if (step->header) {
      if (step->header->endpoints) address_ = step->header->endpoints->source;
      if (step->header->client_tls) told_scheme_ = *step->header->client_tls ? Scheme::kHttps : Scheme::kHttp;
      co_return true;
    }
    const net::IoResult got = stream_.try_read({header.data() + have, step->length - have});
    if (got.status == net::IoStatus::kDone) {
      have += got.bytes;
      continue;
    }
    if (got.status != net::IoStatus::kWouldBlock) co_return false;
    const error_code error = co_await stream_.wait(got.want);
    if (error) co_return false;
  }
}

// Many clients stand behind a trusted proxy: its address says nothing about one of them.
void Session::limit_address() {
  AddressLimit& addresses = worker_.shared.addresses;
  if (!addresses.enabled() || !listener_->counts || peer_.is_unix() || worker_.snapshot->settings.forwarded.trusted.contains(address_)) return;
  counted_address_ = true;
  over_limit_ = !addresses.enter(address_) || over_limit_;
}

awaitable<bool> Session::handshake() {
  // A certificate that is replaced meanwhile must not be taken from under this handshake.
  const std::shared_ptr<const net::TlsContext> tls = listener_->tls;
  if (!stream_.start_tls(*tls)) co_return false;
  stream_.set_deadline(net::Clock::now() + deadlines().tls_handshake);
  for (;;) {
    const net::IoResult step = stream_.try_handshake();
    if (step.status == net::IoStatus::kDone) break;
    error_code error = errc::tls;
    if (step.status == net::IoStatus::kWouldBlock) error = co_await stream_.wait(step.want);
    if (error) {
      worker_.metrics.tls_handshake_failures.add(handshake_failure(error, stream_.tls_failure()));
      // Somebody spoke HTTP to a port that speaks TLS: say so in a language they understand.
      if (stream_.tls_failure() == "http request") {
        constexpr std::string_view kAnswer =
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: 106\r\nconnection: close\r\n\r\n"
            "{\"type\":\"about:blank\",\"title\":\"This port speaks HTTPS; use https://\",\"status\":400,\"reason\":\"http_on_tls_port\"}";
        [[maybe_unused]] const auto sent = ::send(stream_.native_handle(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        ::shutdown(stream_.native_handle(), SHUT_WR);
        worker_.metrics.rejected.add("http_on_tls_port");
      }
      co_return false;
    }
  }
  worker_.metrics.tls_handshakes.add(net::tls_version(stream_.ssl()));
  co_return true;
}

// Reads until a head is complete or cannot become one. The head stays in bytes_.
awaitable<Session::HeadResult> Session::read_head(net::Clock::time_point began, http::HeadScanner::Result& found) {
  const std::shared_ptr<const Snapshot> snapshot = worker_.snapshot;
  const http::HeadLimits& limits = snapshot->settings.request.limits;
  http::HeadScanner scanner(http::Side::kRequest);
  bool waited = false;
  for (;;) {
    if (!bytes_.empty()) {
      found = scanner.scan(bytes_.bytes(), limits);
      if (found.error) co_return HeadResult::kRefused;
      if (found.complete) co_return HeadResult::kComplete;
      if (bytes_.full()) bytes_.move_to(worker_.head_buffers, limits.head_bytes());
    }
    const net::IoResult got = bytes_.fill(stream_, worker_.small_buffers);
    if (got.status == net::IoStatus::kDone) continue;
    if (got.status != net::IoStatus::kWouldBlock) co_return HeadResult::kGone;
    // Set even where the first bytes came with the request before: whatever deadline is left was about that one.
    if (!waited) stream_.set_deadline(began + snapshot->settings.deadlines.request_head);
    waited = true;
    const error_code error = co_await stream_.wait(got.want);
    if (error == errc::timeout) co_return HeadResult::kTimeout;
    if (error) co_return HeadResult::kGone;
  }
}

// Who the client is: addresses of the connection, then what a trusted peer tells.
void Session::settle_client_address(ProxyExchange& exchange) {
  exchange.peer.bytes = address_.bytes;
  exchange.peer.text = peer_.is_unix() && address_ == IpAddress{} ? std::string_view("unix") : format_address(address_, exchange.arena());
  exchange.client = exchange.peer;
  exchange.scheme = stream_.is_tls() ? Scheme::kHttps : Scheme::kHttp;
  exchange.client_scheme = told_scheme_.value_or(exchange.scheme);
  const auto settled = settle_client(IpAddress{exchange.peer.bytes}, exchange.request().headers, exchange.snapshot->settings.forwarded);
  exchange.peer_trusted = settled.peer_trusted;
  if (!settled.peer_trusted) return look_for_unnamed_proxy(exchange);
  if (settled.scheme) exchange.client_scheme = *settled.scheme;
  if (settled.hops == 0) return;
  exchange.client.bytes = settled.address.bytes;
  exchange.client.text = format_address(settled.address, exchange.arena());
}

// Everybody behind a proxy that nobody named is one client: an operator wants to know.
void Session::look_for_unnamed_proxy(const ProxyExchange& exchange) {
  if (!listener_->counts || peer_.is_unix() || !exchange.snapshot->settings.forwarded.trusted.empty()) return;
  const Headers& headers = exchange.request().headers;
  if (headers.find(FieldId::x_forwarded_for) == nullptr && headers.find(FieldId::forwarded) == nullptr) return;
  if (!worker_.shared.unnamed_proxy.notice(address_) || !worker_.on_warning) return;
  const std::string peer(exchange.peer.text);
  worker_.on_warning("requests that say they were forwarded all come from " + peer +
                     ", which is not trusted: everybody behind it is one client and shares its limits. If it is your proxy, write "
                     "trusted_proxies: [\"" + peer + "\"]");
}

// Small bodies that came with the head travel with it; the others are read as they come.
void Session::prepare_body(ProxyExchange& exchange) {
  const http::Framing& framing = exchange.head.framing;
  Request& request = exchange.request();
  ClientBodySettings settings;
  settings.limit = exchange.route_entry->settings.body_limit;
  settings.idle = exchange.snapshot->settings.deadlines.body_idle;
  settings.minimum_rate = exchange.snapshot->settings.deadlines.body_minimum_rate;
  settings.expects_continue = exchange.head.expects_continue;
  exchange.client_body.start(framing, exchange.snapshot->settings.chunks, settings);
  const BodyLogSettings& logged = exchange.route_entry->settings.log_bodies;
  if (logged.enabled) exchange.captured = std::make_unique<BodyCapture>(logged.max_size);
  if (framing.kind == http::Framing::Kind::kNone) return;
  request.body.length.reset();
  if (framing.kind == http::Framing::Kind::kLength) {
    request.body.length = framing.length;
    if (const auto whole = exchange.client_body.take_whole(framing.length)) {
      request.body.ready = *whole;
      if (exchange.captured) exchange.captured->request.add(*whole);
      return;
    }
  }
  request.body.rest = &exchange.client_body;
}

awaitable<Session::After> Session::serve_one(ProxyExchange& exchange, HeadResult read, const http::HeadScanner::Result& found) {
  worker_.metrics.requests_active.add();
  // Whatever happens below, the request is counted and recorded once.
  struct Finished {
    ProxyExchange& exchange;
    ~Finished() {
      exchange.measures.finished = net::Clock::now();
      exchange.worker.metrics.requests_active.subtract();
      if (exchange.worker.on_finished && exchange.route_entry != nullptr) exchange.worker.on_finished(exchange);
    }
  } const finished{exchange};

  std::optional<http::HeadError> error = found.error;
  if (read == HeadResult::kComplete) {
    const auto head = exchange.arena().copy(bytes_.bytes().substr(found.begin, found.end - found.begin));
    bytes_.consume(found.end);
    error = http::parse_request_head(head, exchange.snapshot->settings.request, exchange.request(), exchange.head);
    exchange.measures.head_read = net::Clock::now();
    if (error) http::keep_origin(head, exchange.request().headers);
  } else {
    http::keep_origin(bytes_.bytes(), exchange.request().headers);
  }
  settle_client_address(exchange);
  if (stream_.is_tls()) exchange.tls_version = net::tls_version(stream_.ssl());
  // A refused head takes the last route, which matches everything: its filters decorate the refusal.
  exchange.route_entry = error || read != HeadResult::kComplete ? exchange.snapshot->router->routes().back().get()
                                                               : &exchange.snapshot->router->find(exchange.request());
  exchange.route = exchange.route_entry->name;
  exchange.route_metrics = exchange.route_entry->metrics;
  const bool unmatched = exchange.route_entry == exchange.snapshot->router->routes().back().get() && !exchange.route_entry->own;
  if (unmatched && worker_.templates && !error && read == HeadResult::kComplete) name_by_template(exchange);
  if (exchange.head.dropped_names != 0) worker_.metrics.dropped_field_names.add(exchange.head.dropped_names);

  if (read == HeadResult::kGone) {
    exchange.outcome() = {true, "client_disconnected", ResponseFlag::kDownstreamReset};
    worker_.metrics.requests_abandoned.add();
    co_return After::kGone;
  }
  Refusal early;
  if (read == HeadResult::kTimeout) early.kind = Refusal::Kind::kSlowHead;
  if (error) {
    early.kind = Refusal::Kind::kHead;
    early.error = *error;
  } else if (over_limit_) {
    early.kind = Refusal::Kind::kOverload;
  }
  if (!error && read == HeadResult::kComplete) prepare_body(exchange);
  exchange.refusal = early;
  Response response = co_await exchange.route_entry->chain->run(exchange);
  const After after = co_await respond(exchange, response);
  co_await finish_forward(exchange);
  co_return after;
}

// The app's own name for a path that no route of the configuration matches.
void Session::name_by_template(ProxyExchange& exchange) {
  observe::RouteMetrics* const found = worker_.templates->find(http::comparable_path(exchange.request().path, exchange.arena()));
  if (found == nullptr) return;
  exchange.route = found->route();
  exchange.route_metrics = found;
}

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
  const auto head = http::write_response_head(response, framing, keep ? http::Persistence::kKeepAlive : http::Persistence::kClose,
                                              minor, {}, worker_.date.at(std::chrono::system_clock::to_time_t(exchange.received_at)), arena);
  const bool chunked = framing.kind == http::Framing::Kind::kChunked;
  const auto ready = head_only ? std::string_view{} : response.body.ready;
  std::array<char, 20> size;
  iovec parts[4] = {part(head), {}, {}, {}};
  std::size_t count = 1;
  if (!ready.empty()) {
    if (chunked) parts[count++] = part(http::write_chunk_size(ready.size(), size));
    parts[count++] = part(ready);
    if (chunked) parts[count++] = part("\r\n");
  }
  exchange.measures.status = response.status;
  exchange.response_headers = response.headers;
  if (exchange.captured) exchange.captured->response.add(ready);
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
  if (complete && !head_only && response.body.rest != nullptr) complete = co_await relay_body(exchange, response, chunked);
  if (error) client_gone(exchange);
  if (!complete) co_return After::kAbort;
  if (keep) co_return After::kNextRequest;
  co_return refused || body_left ? After::kLinger : After::kClose;
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
}

// From the app to the client, piece by piece; not reading is the back-pressure. False when it ended early on either side.
awaitable<bool> Session::relay_body(ProxyExchange& exchange, Response& response, bool chunked) {
  const net::Clock::duration idle = exchange.snapshot->settings.deadlines.write_idle;
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

awaitable<void> Session::linger() {
  const bool draining = worker_.shared.draining.load(std::memory_order_relaxed);
  const auto until = net::Clock::now() + (draining ? kLingerIdle : kLingerTime);
  for (;;) {
    const net::IoResult got = bytes_.fill(stream_, worker_.large_buffers);
    bytes_.release();
    if (got.status != net::IoStatus::kDone && got.status != net::IoStatus::kWouldBlock) co_return;
    if (stream_.has_pending()) continue;
    const auto now = net::Clock::now();
    if (now >= until) co_return;
    // Also after bytes: a fast sender must not keep the worker to itself.
    stream_.set_deadline(std::min(until, now + kLingerIdle));
    const error_code error = co_await stream_.wait(net::Direction::kRead);
    if (error) co_return;
  }
}

}  // namespace gatehouse::proxy
