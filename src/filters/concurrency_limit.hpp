// Bounds how many requests the application has under way at the same time, and how many of one client. Who finds no
// place waits for one, in order and not for ever; then 503 with Retry-After says that the application is busy. A client
// with too many requests of its own gets 429 at once.
//
// A request has its place until its response has been sent. Streams would keep theirs for hours: a place is free again
// when a connection is upgraded or a `text/event-stream` begins. Trusts nobody; counts clients by their settled
// address. One instance for each worker; the places are shared through ConcurrencyGates.
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
  std::atomic<std::uint64_t> queue_full{0};       // refused because too many wait
  std::atomic<std::uint64_t> queue_timeouts{0};   // refused after waiting
  std::atomic<std::uint64_t> client_refusals{0};  // refused because of the client's other requests
};

// What the workers share of one limit.
struct ConcurrencyShared {
  ConcurrencyShared(std::int64_t requests, std::int64_t queue, std::int64_t per_client);

  std::shared_ptr<ConcurrencyGate> gate;
  ConcurrencyKeys clients;
  ConcurrencyCounters counters;
};

class ConcurrencyLimit final : public Filter {
 public:
  struct Options {
    std::string name = "all";     // of the limit in metrics: the route's template, or all
    std::int64_t requests = 0;    // of all clients; 0: any number
    std::int64_t per_client = 0;  // of one client; 0: any number
    std::int64_t queue = 100;     // requests that may wait
    std::chrono::milliseconds queue_timeout{1000};
    std::vector<std::string> exempt_paths = {"/health", "/healthz", "/livez", "/readyz"};
    RateKeySpec client;
    bool operator==(const Options&) const = default;
  };

  // The limits of this process. One for the process; any thread.
  class Gates {
   public:
    Gates() : secret_(make_hash_secret()) {}
    // Equal options share one limit, over workers and configurations.
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
  struct Place;
  bool exempt(const Exchange& exchange) const;
  Response refuse_client(Exchange& exchange) const;
  Response refuse_busy(Exchange& exchange, ConcurrencyDoor::Entry entry) const;

  Options options_;
  std::shared_ptr<ConcurrencyShared> shared_;
  std::shared_ptr<ConcurrencyDoor> door_;  // null: any number of requests
  HashSecret secret_;
};

}  // namespace gatehouse
