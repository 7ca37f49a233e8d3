// One client connection: handshake, then requests one after the other until either side ends it. A local of its coroutine; while
// it waits for a request it holds no buffer. Thread: the worker's.
#pragma once

#include "http/address.hpp"
#include "proxy/byte_source.hpp"
#include "proxy/proxy_exchange.hpp"

namespace gatehouse::proxy {

class Session {
 public:
  // `peer` is all of the other side that is remembered: an idle connection is small.
  struct Peer {
    explicit Peer(const net::Endpoint& endpoint) noexcept : address{endpoint.bytes()}, over_unix(endpoint.is_unix()) {}
    IpAddress address;
    bool over_unix;
  };
  Session(WorkerState& worker, std::shared_ptr<const ListenerState> listener, int socket, const Peer& peer);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  awaitable<void> run();

 private:
  friend struct WorkerState;
  enum class After : std::uint8_t { kNextRequest, kClose, kLinger, kAbort, kGone, kTunnelEnded };
  static std::string_view ended_by(After after) noexcept;
  enum class HeadResult : std::uint8_t { kComplete, kRefused, kTimeout, kGone };

  awaitable<bool> read_proxy_header();
  void limit_address();
  awaitable<bool> handshake();
  const Deadlines& deadlines() const noexcept;
  struct HeadRead {
    http::HeadScanner scanner{http::Side::kRequest};
    http::HeadScanner::Result found;
    net::Direction want = net::Direction::kRead;  // for more of it
  };
  std::optional<HeadResult> take_head(HeadRead& head);
  awaitable<HeadResult> wait_for_head(net::Clock::time_point began, HeadRead& head);
  awaitable<After> serve_one(ProxyExchange& exchange, HeadResult read, const http::HeadScanner::Result& found);
  void prepare(ProxyExchange& exchange);
  void prepare_body(ProxyExchange& exchange);
  awaitable<After> respond(ProxyExchange& exchange, Response& response);
  void name_by_template(ProxyExchange& exchange);
  void client_gone(ProxyExchange& exchange);
  void body_ended_early(ProxyExchange& exchange, const error_code& error);
  awaitable<bool> relay_body(ProxyExchange& exchange, Response& response, bool chunked);
  awaitable<void> linger();
  void settle_client_address(ProxyExchange& exchange);
  void look_for_unnamed_proxy(const ProxyExchange& exchange);

  WorkerState& worker_;
  const std::shared_ptr<const ListenerState> listener_;
  net::Stream stream_;
  IpAddress address_;                   // of the client's side of the connection, as far as it is known without any field
  std::optional<Scheme> told_scheme_;   // by a PROXY header
  const bool over_unix_;
  bool counted_address_ = false;
  ByteSource bytes_;
  ProxyExchange* current_ = nullptr;
  bool over_limit_ = false;
  std::string_view ended_ = "client_closed";  // why, for the counters: a literal
  bool idle_ = false;    // between two requests
  bool unused_ = false;  // waiting for the first byte of the first
  Session* previous_ = nullptr;
  Session* next_ = nullptr;
};

}  // namespace gatehouse::proxy
