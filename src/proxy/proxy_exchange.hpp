// An exchange with everything the request path keeps about it. Lives in a Scratch that a session borrows from its worker for the
// time of one request; filters see only its base.
#pragma once

#include "http/h1_parser.hpp"
#include "proxy/bodies.hpp"
#include "proxy/body_capture.hpp"
#include "proxy/router.hpp"
#include "upstream/pools.hpp"

#include <gatehouse/filter.hpp>

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>

namespace gatehouse::proxy {

struct WorkerState;
struct ListenerState;
struct Snapshot;

// Moments and amounts of one request, for its record. A moment that did not come is zero.
struct Measures {
  using TimePoint = std::chrono::steady_clock::time_point;
  TimePoint head_read;
  TimePoint upstream_began;      // looking for a connection
  TimePoint upstream_connecting;  // opening one; that of upstream_connected for one that was kept
  TimePoint upstream_connected;   // having one
  TimePoint upstream_first_byte;
  TimePoint upstream_ended;
  TimePoint finished;
  std::uint64_t response_bytes = 0;  // of the body
  int status = 0;                    // sent to the client; 0: none
  bool replayed = false;
  int attempts = 1;  // how often the request was sent
};

// Why a request is answered before any filter judges it; the answer still passes the filters' response phase.
struct Refusal {
  enum class Kind : std::uint8_t { kNone, kHead, kSlowHead, kOverload };
  Kind kind = Kind::kNone;
  http::HeadError error{};
};

// Wakes whoever waits for it, once. Thread: the worker's.
class Signal {
 public:
  explicit Signal(boost::asio::io_context& io) : timer_(io, boost::asio::steady_timer::time_point::max()) {}
  void raise() {
    raised_ = true;
    timer_.cancel();
  }
  bool raised() const noexcept { return raised_; }
  awaitable<void> wait();

 private:
  boost::asio::steady_timer timer_;
  bool raised_ = false;
};

// A request body on its way to the app while the response may already come back.
struct Upload {
  explicit Upload(boost::asio::io_context& io) : ended(io) {}
  Signal ended;
  bool stop = false;           // asked to end
  bool complete = false;       // the app has all of it
  bool client_failed = false;  // the client's side broke it off: see ClientBody::failure()
};

// Looks once a second whether the client is still there while the app works, so that an abandoned request ends.
class AbandonWatch final : public net::Deadline {
 public:
  AbandonWatch(net::Stream& downstream) noexcept : downstream_(downstream) {}
  ~AbandonWatch() override = default;
  void watch(net::Stream& upstream, net::Clock::time_point now) {
    upstream_ = &upstream;
    set(downstream_.wheel(), now + kPeriod);
  }
  void stop() noexcept { clear(); }
  // A look at the client at once.
  bool look() noexcept {
    abandoned_ = abandoned_ || downstream_.peer_left();
    return abandoned_;
  }
  bool abandoned() const noexcept { return abandoned_; }

 private:
  static constexpr std::chrono::seconds kPeriod{1};
  void on_expired() override;
  net::Stream& downstream_;
  net::Stream* upstream_ = nullptr;
  bool abandoned_ = false;
};

class ProxyExchange final : public Exchange {
 public:
  ProxyExchange(Arena& arena, WorkerState& worker_state, const ListenerState& listener_state, net::Stream& client_stream,
                ByteSource& client_bytes);

  bool abandoned() override { return abandon_watch.look() || downstream.cancelled(); }

  WorkerState& worker;
  const std::shared_ptr<Snapshot> snapshot;  // what this request is served by, whatever is loaded meanwhile
  const ListenerState& listener;
  net::Stream& downstream;
  const Route* route_entry = nullptr;
  observe::RouteMetrics* route_metrics = nullptr;  // where it is counted; null: nowhere
  http::RequestHead head;
  Refusal refusal;
  ClientBody client_body;

  ByteSource upstream_bytes;
  UpstreamBody upstream_body;
  upstream::Pool* pool = nullptr;     // of the snapshot; null: the app has not been asked
  upstream::MemberUse place;          // the address that is asked
  bool went_well = false;             // so far, as the pool counts
  std::unique_ptr<upstream::Connection> connection;
  bool connection_reusable = false;   // once the response has been read to its end
  std::string_view upstream_keep_alive;
  std::optional<upstream::UploadPlace> upload_place;  // while the body is on its way
  std::unique_ptr<Upload> upload;
  AbandonWatch abandon_watch;
  std::string_view switched_to;       // protocol of an accepted upgrade
  class Tunnel* tunnel = nullptr;     // while it relays

  Measures measures;
  Headers response_headers;               // as sent
  std::unique_ptr<BodyCapture> captured;  // where the route asks for it
  std::string_view tls_version;
};

// The memory of one request.
struct Scratch {
  Arena arena{16384};
  std::optional<ProxyExchange> exchange;
};

}  // namespace gatehouse::proxy
