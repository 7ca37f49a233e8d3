#include "filters/concurrency_limit.hpp"

#include "filters/rate_fields.hpp"

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

// What one request holds.
struct ConcurrencyLimit::Place {
  std::shared_ptr<ConcurrencyShared> shared;  // the lease's
  ConcurrencyKeys::Lease lease;
  std::shared_ptr<ConcurrencyDoor> door;  // null: no place was needed, or it is given up

  void operator()() {
    lease.end();
    if (door != nullptr) std::exchange(door, nullptr)->leave();
  }
};

ConcurrencyLimit::ConcurrencyLimit(Options options, Gates& gates)
    : options_(std::move(options)),
      shared_(gates.obtain(options_)),
      door_(shared_->gate ? ConcurrencyDoor::make(shared_->gate) : nullptr),
      secret_(gates.secret()) {}

bool ConcurrencyLimit::exempt(const Exchange& exchange) const {
  const auto& paths = options_.exempt_paths;
  return std::find(paths.begin(), paths.end(), exchange.request().path) != paths.end();
}

awaitable<Response> ConcurrencyLimit::handle(Exchange& exchange, Next next) const {
  if (exempt(exchange)) co_return co_await next(exchange);
  Place place{shared_, {}, nullptr};
  if (options_.per_client > 0) {
    const auto key = options_.client.key_of(exchange, secret_);
    auto lease = shared_->clients.enter(key, static_cast<std::uint32_t>(options_.per_client));
    if (!lease) co_return refuse_client(exchange);
    place.lease = std::move(*lease);
  }
  if (door_ != nullptr) {
    const auto entry = co_await ConcurrencyDoor::enter(door_, options_.queue_timeout);
    if (entry != ConcurrencyDoor::Entry::kIn) co_return refuse_busy(exchange, entry);
    place.door = door_;
  }
  Place& held = exchange.at_end(std::move(place));
  Response response = co_await next(exchange);
  if (is_stream(response)) held();
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

Response ConcurrencyLimit::refuse_busy(Exchange& exchange, ConcurrencyDoor::Entry entry) const {
  const bool full = entry == ConcurrencyDoor::Entry::kRoomFull;
  count(full ? shared_->counters.queue_full : shared_->counters.queue_timeouts);
  auto response = exchange.refuse(503, "The application is busy", full ? "queue_full" : "queue_timeout",
                                  ResponseFlag::kOverload, {kReducedCapacity, {}});
  const auto seconds_to_wait = std::max<std::uint64_t>(1, seconds_up(options_.queue_timeout));
  response.headers.add_view("retry-after", decimal_text(seconds_to_wait, exchange.arena()));
  return response;
}

std::shared_ptr<ConcurrencyShared> ConcurrencyLimit::Gates::obtain(const Options& options) {
  const std::lock_guard lock(mutex_);
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
  for (const auto& [known, shared] : known_)
    if (known == options) return shared.lock();
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
  std::vector<KeySpec> keys = {
      key::integer("requests", 0, "Requests that the application has under way at the same time; 0: any number.")
          .within(0, 1000000),
      key::integer("per_client", 0, "Requests of one client at the same time; 0: any number.").within(0, 1000000),
      key::integer("queue", defaults.queue, "Requests that may wait until one of the others is over.")
          .within(0, 1000000),
      key::duration("queue_timeout", defaults.queue_timeout, "How long a request waits before it is refused with 503.")
          .within(1ms, 5min),
      key::texts("exempt_paths", defaults.exempt_paths,
                 "Paths that never wait and take no place, such as health checks.")
          .of_format(format::kUrlPath),
      key::integer("ipv4_prefix", 32, "Bits of an IPv4 address that make one client.").within(8, 32),
      key::integer("ipv6_prefix", 64, "Bits of an IPv6 address that make one client.").within(16, 128),
  };
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
  read.client.ipv4_prefix = static_cast<unsigned>(options.integer("ipv4_prefix"));
  read.client.ipv6_prefix = static_cast<unsigned>(options.integer("ipv6_prefix"));
  return read;
}

}  // namespace gatehouse
