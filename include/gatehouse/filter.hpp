// What the author of a filter needs: the exchange, the filter, and what comes next in the chain.
//
// A filter is const: it belongs to one worker and serves many exchanges; what it remembers about one of them is a local
// variable of handle(). Filters that only look at heads and never wait derive from HeaderFilter, which costs no
// coroutine frame. All calls for one exchange come from one thread.
#pragma once

#include <gatehouse/message.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gatehouse {

class Chain;
class Filter;

// Envoy's short codes for why a request ended as it did; kNone when the origin simply answered.
enum class ResponseFlag : std::uint8_t {
  kNone,
  kUpstreamUnreachable,      // UF: connecting failed
  kUpstreamResponseTimeout,  // UT
  kUpstreamReset,            // UC: broken before or in the response
  kUpstreamProtocolError,    // UPE
  kUpstreamOverflow,         // UO: no room to wait
  kNoHealthyUpstream,        // UH
  kNoRoute,                  // NR
  kDownstreamReset,          // DC: the client went away
  kDownstreamProtocolError,  // DPE
  kDownstreamTimeout,        // SI: the client stayed silent
  kRateLimited,              // RL
  kUnauthorized,             // UAEX
  kOverload,                 // OM
  kLocal,                    // LR: another answer of ours
};
std::string_view flag_code(ResponseFlag flag) noexcept;

// Who produced the status and why. `reason` is a literal in snake_case: it becomes a log field and a metric label.
struct Outcome {
  bool sidecar = false;  // false: the origin decided
  std::string_view reason = "via_upstream";
  ResponseFlag flag = ResponseFlag::kNone;
};

// A network address as text without port, and as 16 bytes (IPv4 mapped into IPv6).
struct ClientAddress {
  std::array<std::uint8_t, 16> bytes{};
  std::string_view text;
};

// What a problem document says beyond title, status and reason (RFC 9457). Must not carry anything a client sent.
struct ProblemDetail {
  std::string_view type = "about:blank";
  std::string_view members;  // more JSON members, each with a comma before it: `,"name":1`
};

class Exchange {
 public:
  explicit Exchange(Arena& arena) noexcept : arena_(&arena), request_(arena) {}
  virtual ~Exchange() {
    for (Ending* ending = endings_; ending != nullptr; ending = ending->next) ending->run(ending->action);
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Arena& arena() const noexcept { return *arena_; }
  Request& request() noexcept { return request_; }
  const Request& request() const noexcept { return request_; }
  Outcome& outcome() noexcept { return outcome_; }
  const Outcome& outcome() const noexcept { return outcome_; }

  // The transport the client used to reach this process.
  Scheme scheme = Scheme::kHttp;
  // The scheme the client used, which a trusted proxy in front may have told.
  Scheme client_scheme = Scheme::kHttp;
  // The peer of the TCP connection, and the client that it speaks for (the same unless the peer is trusted).
  ClientAddress peer;
  ClientAddress client;
  bool peer_trusted = false;
  // Template of the route that matched, `unmatched` where none did. Bounded: safe as a label.
  std::string_view route = "unmatched";
  // What a filter saw and let pass, for the access record: a literal in snake_case. The first one stays.
  std::string_view note;
  // Set by the request-id filter.
  std::string_view request_id;
  bool request_id_is_own = false;  // made here instead of taken from the client
  // Trace id of a valid traceparent field, else empty.
  std::string_view trace_id;
  // Wall clock and monotonic time at which the first byte of the head was there.
  std::chrono::system_clock::time_point received_at;
  std::chrono::steady_clock::time_point started_at;

  // A response of Gatehouse's own as application/problem+json (RFC 9457) with the request id, and the outcome set.
  // `title` is for people and must not carry anything a client sent; `reason` must be a literal.
  Response refuse(int status, std::string_view title, std::string_view reason, ResponseFlag flag,
                  const ProblemDetail& detail = {});
  // A response of Gatehouse's own with that body.
  Response answer(int status, std::string_view content_type, std::string_view body, std::string_view reason);

  // Nobody wants the answer any more: the client has left, or the process ends. Looks at the connection each time, so a
  // filter that waits asks now and then.
  virtual bool abandoned() { return false; }

  // What a HeaderFilter found in on_request() and wants in on_response(): at most one value for each filter, in the
  // arena.
  template <class T>
  T& remember(const Filter& filter, const T& value) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 16);
    auto* const kept = new (arena_->allocate(sizeof(Note))) Note{&filter, notes_, arena_->allocate(sizeof(T))};
    notes_ = kept;
    return *new (kept->value) T(value);
  }
  // What `filter` remembered as a T about this exchange, or null.
  template <class T>
  T* recall(const Filter& filter) const noexcept {
    for (const Note* kept = notes_; kept != nullptr; kept = kept->next)
      if (kept->filter == &filter) return static_cast<T*>(kept->value);
    return nullptr;
  }
  // Calls `action` once when the exchange is over: the response is sent, or nobody wants it any more. The last one first.
  // It must not throw. What it holds lives until then, and may be changed through the reference.
  template <class Action>
  Action& at_end(Action action) {
    static_assert(alignof(Action) <= 16);
    auto* const kept = new (arena_->allocate(sizeof(Action))) Action(std::move(action));
    const auto run = [](void* held) noexcept {
      auto* const due = static_cast<Action*>(held);
      (*due)();
      due->~Action();
    };
    endings_ = new (arena_->allocate(sizeof(Ending))) Ending{run, kept, endings_};
    return *kept;
  }

 private:
  struct Ending {
    void (*run)(void* action) noexcept;
    void* action;
    Ending* next;
  };
  struct Note {
    const Filter* filter;
    Note* next;
    void* value;
  };

  Arena* arena_;
  Request request_;
  Outcome outcome_;
  Note* notes_ = nullptr;
  Ending* endings_ = nullptr;
};

// The rest of the chain. Call it at most once.
class Next {
 public:
  Next(const Chain& chain, std::size_t index) noexcept : chain_(&chain), index_(index) {}
  // Never fails: upstream failure arrives as a response already, its cause in exchange.outcome().
  awaitable<Response> operator()(Exchange& exchange) const;

 private:
  const Chain* chain_;
  std::size_t index_;
};

class Filter {
 public:
  virtual ~Filter() = default;
  // Before `next`: the request phase. After it: the response phase. Not calling it answers here.
  virtual awaitable<Response> handle(Exchange& exchange, Next next) const = 0;
};

// A filter that judges and edits heads and never waits. The chain calls the two halves directly.
class HeaderFilter : public Filter {
 public:
  // A response ends the request phase here; filters further out still see it in on_response().
  virtual std::optional<Response> on_request(Exchange& exchange) const = 0;
  virtual void on_response(Exchange& exchange, Response& response) const = 0;
  awaitable<Response> handle(Exchange& exchange, Next next) const final;
};

}  // namespace gatehouse
