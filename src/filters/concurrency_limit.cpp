#include "filters/concurrency_limit.hpp"

#include "filters/rate_fields.hpp"
#include "filters/rate_policy.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

constexpr std::string_view kReducedCapacity =
    "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";
constexpr std::string_view kQuotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded";

// Clients with requests under way at the same time that have a place of their own: 64 bytes each.
constexpr std::size_t kClients = 20000;

void count(std::atomic<std::uint64_t>& counter) noexcept { counter.fetch_add(1, std::memory_order_relaxed); }

// What goes on for hours after its head and is no work for the application all the time.
bool is_stream(const Response& response) noexcept {
  if (response.status == 101) return true;
  constexpr std::string_view kEvents = "text/event-stream";
  return equals_ignoring_case(response.headers.value(FieldId::content_type).substr(0, kEvents.size()), kEvents);
}

}  // namespace

ConcurrencyShared::ConcurrencyShared(std::int64_t requests, std::int64_t queue, std::int64_t per_client)
    : gate(requests > 0 ? std::make_shared<ConcurrencyGate>(requests, queue) : nullptr),
      clients(per_client > 0 ? kClients : 0) {}

// What one request holds; ends with it.
class ConcurrencyLimit::Place {
 public:
  explicit Place(std::shared_ptr<ConcurrencyShared> shared) : shared_(std::move(shared)) {}
  Place(Place&&) = default;
  ~Place() { (*this)(); }

  bool take_for_client(RateKey key, std::int64_t most) noexcept {
    auto lease = shared_->clients.enter(key, static_cast<std::uint32_t>(most));
    if (!lease) return false;
    lease_ = std::move(*lease);
    return true;
  }
  // In through this door: out through it.
  void took(std::shared_ptr<ConcurrencyDoor> door) noexcept { door_ = std::move(door); }
  // Everything is given back; once.
  void operator()() noexcept {
    lease_.end();
    if (door_ != nullptr) std::exchange(door_, nullptr)->leave();
  }

 private:
  std::shared_ptr<ConcurrencyShared> shared_;  // what the lease is from
  ConcurrencyKeys::Lease lease_;
  std::shared_ptr<ConcurrencyDoor> door_;
};

ConcurrencyLimit::ConcurrencyLimit(Options options, Gates& gates)
    : options_(std::move(options)),
      shared_(gates.obtain(options_)),
      door_(shared_->gate ? ConcurrencyDoor::make(shared_->gate) : nullptr),
      secret_(gates.secret()) {}

bool ConcurrencyLimit::exempt(const Exchange& exchange) const {
  return std::any_of(options_.exempt_paths.begin(), options_.exempt_paths.end(),
                     [&](const auto& pattern) { return path_is_exempt(exchange.request().path, pattern); });
}

awaitable<Response> ConcurrencyLimit::handle(Exchange& exchange, Next next) const {
  if (exempt(exchange)) co_return co_await next(exchange);
  Place place(shared_);
  if (options_.per_client > 0 && !place.take_for_client(options_.client.key_of(exchange, secret_), options_.per_client))
    co_return refuse_client(exchange);
  if (door_ != nullptr) {
    if (!door_->enter_at_once()) {
      count(shared_->counters.waits);
      const auto entry = co_await ConcurrencyDoor::enter(door_, options_.queue_timeout, exchange);
      if (entry != ConcurrencyDoor::Entry::kIn) co_return refuse_waiting(exchange, entry);
    }
    place.took(door_);
  }
  Place& held = exchange.at_end(std::move(place));
  Response response = co_await next(exchange);
  if (options_.streams == Streams::kFree && is_stream(response)) held();
  co_return response;
}

Response ConcurrencyLimit::refuse_client(Exchange& exchange) const {
  count(shared_->counters.client_refusals);
  auto response =
      exchange.refuse(429, "Too many requests at the same time", "too_many_concurrent", ResponseFlag::kRateLimited,
                      {kQuotaExceeded, ",\"violated-policies\":[\"concurrency\"]"});
  response.headers.add_view("retry-after", "1");
  return response;
}

Response ConcurrencyLimit::refuse_waiting(Exchange& exchange, ConcurrencyDoor::Entry entry) const {
  ConcurrencyCounters& counters = shared_->counters;
  switch (entry) {
    case ConcurrencyDoor::Entry::kRoomFull:
      count(counters.queue_full);
      return refuse_busy(exchange, "queue_full");
    case ConcurrencyDoor::Entry::kAbandoned:
      count(counters.abandoned);
      return exchange.refuse(499, "Nobody waits for the answer", "abandoned_in_queue", ResponseFlag::kDownstreamReset);
    case ConcurrencyDoor::Entry::kWaitedTooLong:
    case ConcurrencyDoor::Entry::kIn:
      break;
  }
  count(counters.queue_timeouts);
  return refuse_busy(exchange, "queue_timeout");
}

Response ConcurrencyLimit::refuse_busy(Exchange& exchange, std::string_view reason) const {
  auto response =
      exchange.refuse(503, "The application is busy", reason, ResponseFlag::kOverload, {kReducedCapacity, {}});
  const auto seconds_to_wait = std::max<std::uint64_t>(1, seconds_up(options_.queue_timeout));
  response.headers.add_view("retry-after", decimal_text(seconds_to_wait, exchange.arena()));
  return response;
}

bool ConcurrencyLimit::Options::counts_like(const Options& other) const noexcept {
  return name == other.name && scope == other.scope && requests == other.requests && queue == other.queue &&
         per_client == other.per_client && client == other.client;
}

std::shared_ptr<ConcurrencyShared> ConcurrencyLimit::Gates::obtain(const Options& options) {
  const std::lock_guard lock(mutex_);
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
  for (const auto& [known, weak] : known_) {
    if (!known.counts_like(options)) continue;
    // Its last holder may let it go at this moment.
    if (auto shared = weak.lock()) return shared;
  }
  auto shared = std::make_shared<ConcurrencyShared>(options.requests, options.queue, options.per_client);
  known_.emplace_back(options, shared);
  return shared;
}

void ConcurrencyLimit::Gates::for_each(
    const std::function<void(const std::string&, const ConcurrencyShared&)>& visit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [options, known] : known_)
    if (const auto shared = known.lock()) visit(options.name, *shared);
}

Section ConcurrencyLimit::section() {
  using namespace std::chrono_literals;
  const Options defaults;
  std::vector<KeySpec> keys = rate_key_keys();
  const std::vector<KeySpec> others = {
      key::integer("requests", 0, "Requests that the application has under way at the same time; 0: any number.")
          .within(0, 1000000),
      key::integer("per_client", 0, "Requests of one client (one value of key) at the same time; 0: any number.")
          .within(0, 1000000),
      key::integer("queue", defaults.queue, "Requests that may wait until one of the others is over.")
          .within(0, 1000000),
      key::duration("queue_timeout", defaults.queue_timeout, "How long a request waits before it is refused with 503.")
          .within(1ms, 5min),
      exempt_paths_key("exempt_paths", defaults.exempt_paths,
                       "Paths that never wait and take no place, such as health checks: /healthz, or /internal/* for "
                       "everything below."),
      key::choice("streams", {"count", "free"}, "count",
                  "WebSockets and server-sent events count until they end, or only until they have begun (free)."),
  };
  keys.insert(keys.begin(), others.begin(), others.end());
  return {key::map("concurrency", std::move(keys), "How many requests may be under way at the same time.").optional(),
          true,
          {}};
}

ConcurrencyLimit::Options ConcurrencyLimit::read(OptionsReader& options) {
  Options read;
  read.requests = options.integer("requests");
  read.per_client = options.integer("per_client");
  read.queue = options.integer("queue");
  read.queue_timeout = options.duration("queue_timeout");
  read.exempt_paths = options.texts("exempt_paths");
  read.streams = options.choice<Streams>("streams");
  read.client = read_rate_key(options);
  return read;
}

}  // namespace gatehouse
