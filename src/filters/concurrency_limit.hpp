// Bounds how many requests the application has under way at the same time, and how many of one client. Who finds no
// place waits for one, in the order of its worker and not for ever; then 503 with Retry-After says that the application
// is busy. A client with too many requests of its own gets 429 at once, and waiting ones count as its own.
//
// A request has its place until its response is over: a download until its last byte, a WebSocket until it is closed,
// a stream of events until the client leaves. With `streams: free` WebSockets and `text/event-stream` count only until
// they have begun. A client that leaves while it waits is noticed within a second and waits no more.
//
// Trusts nobody; counts clients as rate limits do (see rate_key.hpp). One instance for each worker; the places are
// those of the process, shared through ConcurrencyLimit::Gates.
#pragma once

#include "filters/concurrency_gate.hpp"
#include "filters/concurrency_keys.hpp"
#include "filters/rate_key.hpp"

#include <gatehouse/filter.hpp>
#include <gatehouse/options.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace gatehouse {

struct ConcurrencyCounters {
  std::atomic<std::uint64_t> waits{0};            // found no place at once
  std::atomic<std::uint64_t> queue_full{0};       // refused because too many wait
  std::atomic<std::uint64_t> queue_timeouts{0};   // refused after waiting
  std::atomic<std::uint64_t> abandoned{0};        // left while waiting
  std::atomic<std::uint64_t> client_refusals{0};  // refused because of the client's other requests
};

// What the workers share of one limit.
struct ConcurrencyShared {
  ConcurrencyShared(std::int64_t requests, std::int64_t queue, std::int64_t per_client);

  std::shared_ptr<ConcurrencyGate> gate;  // null: any number of requests
  ConcurrencyKeys clients;
  ConcurrencyCounters counters;
};

class ConcurrencyLimit final : public Filter {
 public:
  enum class Streams : std::uint8_t {
    kCount,  // to their end
    kFree    // until they have begun
  };
  struct Options {
    std::string name = "all";     // of the limit in metrics: the route's template, or all
    std::string scope;            // which requests it is for, where several limits have one name
    std::int64_t requests = 0;    // of all clients; 0: any number
    std::int64_t per_client = 0;  // of one client; 0: any number
    std::int64_t queue = 100;     // requests that may wait
    std::chrono::milliseconds queue_timeout{1000};
    Streams streams = Streams::kCount;
    std::vector<std::string> exempt_paths = {"/health", "/healthz", "/livez", "/readyz"};
    RateKeySpec client;
    bool operator==(const Options&) const = default;

    // Whether counts of the other one mean the same here.
    bool counts_like(const Options& other) const noexcept;
  };

  // The limits of this process. One for the process; any thread.
  class Gates {
   public:
    Gates() : secret_(make_hash_secret()) {}
    // Options that count alike share one limit, over workers and configurations, as long as somebody holds it.
    std::shared_ptr<ConcurrencyShared> obtain(const Options& options);
    void for_each(const std::function<void(const std::string& name, const ConcurrencyShared& shared)>& visit) const;
    const HashSecret& secret() const noexcept { return secret_; }

   private:
    mutable std::mutex mutex_;
    std::vector<std::pair<Options, std::weak_ptr<ConcurrencyShared>>> known_;
    HashSecret secret_;
  };

  // The key `concurrency`, for all requests and again for those of a route.
  static Section section();
  static Options read(OptionsReader& options);

  // `gates` must outlive the filter.
  ConcurrencyLimit(Options options, Gates& gates);

  awaitable<Response> handle(Exchange& exchange, Next next) const override;

 private:
  class Place;
  bool exempt(const Exchange& exchange) const;
  Response refuse_client(Exchange& exchange) const;
  Response refuse_waiting(Exchange& exchange, ConcurrencyDoor::Entry entry) const;
  Response refuse_busy(Exchange& exchange, std::string_view reason) const;

  Options options_;
  std::shared_ptr<ConcurrencyShared> shared_;
  std::shared_ptr<ConcurrencyDoor> door_;  // null: any number of requests
  HashSecret secret_;
};

}  // namespace gatehouse
