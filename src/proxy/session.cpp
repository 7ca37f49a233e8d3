#include "proxy/session.hpp"

#include "http/refused_head.hpp"
#include "http/target.hpp"
#include "proxy/forward.hpp"
#include "proxy/worker_state.hpp"

namespace gatehouse::proxy {
namespace {

// How long bytes are read and thrown away after the last response, so that a client still sending gets to see it (RFC 9112
// 9.6): as long as they come, and in all.
constexpr std::chrono::seconds kLingerIdle{2};
constexpr std::chrono::seconds kLingerTime{30};

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

Session::Session(WorkerState& worker, std::shared_ptr<const ListenerState> listener, int socket, const Peer& peer)
    : worker_(worker), listener_(std::move(listener)), stream_(worker.io, worker.wheel, socket), address_(peer.address), over_unix_(peer.over_unix) {
  stream_.expect_bytes();
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
  bool looked = false;
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
      const error_code error = co_await stream_.wait(net::Direction::kRead, net::Turn::kAfterOthers);
      worker_.metrics.connections_idle.subtract();
      idle_ = unused_ = false;
      if (error) {
        ended_ = error == errc::timeout ? "idle_timeout" : error == errc::cancelled ? "draining" : "client_closed";
        break;
      }
    }
    const auto began = net::Clock::now();
    const auto received_at = std::chrono::system_clock::now();
    HeadRead head;
    // Nearly always it is all here: no coroutine for that.
    std::optional<HeadResult> read = take_head(head);
    // The first wait ended on the listener's word alone.
    if (!read && bytes_.empty() && first && !std::exchange(looked, true)) continue;
    if (!read) read = co_await wait_for_head(began, head);
    if (*read != HeadResult::kComplete && asked_for_nothing(bytes_.bytes())) {
      if (*read == HeadResult::kTimeout) ended_ = "idle_timeout";
      break;
    }
    // Not before the head is here: a slow one costs no more than the bytes that have come.
    auto scratch = worker_.borrow_scratch();
    ProxyExchange& exchange = scratch->exchange.emplace(scratch->arena, worker_, *listener_, stream_, bytes_);
    exchange.started_at = began;
    exchange.received_at = received_at;
    current_ = &exchange;
    const After after = co_await serve_one(exchange, *read, head.found);
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
    if (after != After::kLinger && after != After::kClose) break;
    stream_.shutdown_send();
    if (after == After::kLinger) co_await this->linger();
    co_return;
  }
  stream_.notify_close();
}

// Reads what is here until a head is complete or cannot become one; it stays in bytes_. Nothing: more must come.
std::optional<Session::HeadResult> Session::take_head(HeadRead& head) {
  const http::HeadLimits& limits = worker_.snapshot->settings.request.limits;
  for (;;) {
    if (!bytes_.empty()) {
      head.found = head.scanner.scan(bytes_.bytes(), limits);
      if (head.found.error) return HeadResult::kRefused;
      if (head.found.complete) return HeadResult::kComplete;
      if (bytes_.full()) bytes_.move_to(worker_.head_buffers, limits.head_bytes());
    }
    const net::IoResult got = bytes_.fill(stream_, worker_.small_buffers);
    head.want = got.want;
    if (got.status == net::IoStatus::kWouldBlock) return std::nullopt;
    if (got.status != net::IoStatus::kDone) return HeadResult::kGone;
  }
}

awaitable<Session::HeadResult> Session::wait_for_head(net::Clock::time_point began, HeadRead& head) {
  // Set even where the first bytes came with the request before: whatever deadline is left was about that one.
  stream_.set_deadline(began + deadlines().request_head);
  for (;;) {
    const error_code error = co_await stream_.wait(head.want, net::Turn::kAfterOthers);
    if (error == errc::timeout) co_return HeadResult::kTimeout;
    if (error) co_return HeadResult::kGone;
    if (const auto read = take_head(head)) co_return *read;
  }
}

// Who the client is: addresses of the connection, then what a trusted peer tells.
void Session::settle_client_address(ProxyExchange& exchange) {
  exchange.peer.bytes = address_.bytes;
  exchange.peer.text = over_unix_ && address_ == IpAddress{} ? std::string_view("unix") : format_address(address_, exchange.arena());
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
  if (!listener_->counts || over_unix_ || !exchange.snapshot->settings.forwarded.trusted.empty()) return;
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
  if (upload_goes_on(exchange)) co_await stop_upload(exchange);
  finish_forward(exchange);
  co_return after;
}

// The app's own name for a path that no route of the configuration matches.
void Session::name_by_template(ProxyExchange& exchange) {
  observe::RouteMetrics* const found = worker_.templates->find(http::comparable_path(exchange.request().path, exchange.arena()));
  if (found == nullptr) return;
  exchange.route = found->route();
  exchange.route_metrics = found;
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
