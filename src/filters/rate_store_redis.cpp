#include "filters/rate_store_redis.hpp"

#include <openssl/sha.h>
#include <algorithm>
#include <new>

namespace gatehouse {
namespace {

constexpr std::string_view kReducedCapacity =
    "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

// Half of a SHA-256: nobody finds two clients with the same key, and nobody reads a client's secret from Redis.
constexpr std::size_t kHashBytes = 16;

std::string_view redis_key(std::string_view prefix, std::string_view definition, std::string_view shown, Arena& arena) {
  const auto hashed = arena.join({definition, std::string_view("\0", 1), shown});
  unsigned char digest[SHA256_DIGEST_LENGTH];
  ::SHA256(reinterpret_cast<const unsigned char*>(hashed.data()), hashed.size(), digest);
  char text[2 * kHashBytes];
  for (std::size_t i = 0; i < kHashBytes; ++i) {
    text[2 * i] = "0123456789abcdef"[digest[i] >> 4];
    text[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
  }
  return arena.join({prefix, {text, sizeof(text)}});
}

std::span<RateRedisAsk> questions_for(const RatePolicySet::Asked& asked, Exchange& exchange) {
  Arena& arena = exchange.arena();
  auto* const questions = static_cast<RateRedisAsk*>(arena.allocate(asked.count * sizeof(RateRedisAsk)));
  for (std::size_t i = 0; i < asked.count; ++i) {
    const RatePolicySet::Policy& policy = *asked.policies[i];
    const auto prefix = arena.join({"gatehouse:", policy.settings.name, ":"});
    const auto key = redis_key(prefix, policy.definition, policy.settings.key.bytes_of(exchange), arena);
    new (&questions[i]) RateRedisAsk{key, policy.table->rule(), policy.settings.cost, policy.settings.shadow};
  }
  return {questions, asked.count};
}

std::span<RateRedisAnswer> answers_for(const RatePolicySet::Asked& asked, Arena& arena) {
  auto* const answers = static_cast<RateRedisAnswer*>(arena.allocate(asked.count * sizeof(RateRedisAnswer)));
  for (std::size_t i = 0; i < asked.count; ++i) new (&answers[i]) RateRedisAnswer;
  return {answers, asked.count};
}

void count_outcome(const RatePolicySet::Asked& asked, const error_code& error) noexcept {
  const auto counter = !error                   ? &RateCounters::store_answers
                       : error == errc::timeout ? &RateCounters::store_timeouts
                                                : &RateCounters::store_failures;
  for (std::size_t i = 0; i < asked.count; ++i)
    (asked.asks[i].table->counters().*counter).fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

std::shared_ptr<RedisLink> RedisLinks::obtain(const RateStore& store) {
  std::erase_if(entries_, [](const Entry& entry) { return entry.link.expired(); });
  for (const Entry& entry : entries_)
    if (entry.address == store.address && entry.ca_file == store.ca_file) return entry.link.lock();
  RedisLink::Settings settings;
  settings.address = store.address;
  settings.ca_file = store.ca_file;
  auto link = std::make_shared<RedisLink>(std::move(settings), on_event_);
  entries_.push_back({store.address, store.ca_file, link});
  return link;
}

RateStoreRedis::RateStoreRedis(const std::vector<RatePolicy>& policies, RateTables& tables,
                               std::shared_ptr<RedisLink> link, Clock clock)
    : store_(*policies.front().store), policies_(policies, tables), link_(std::move(link)), clock_(clock) {}

awaitable<Response> RateStoreRedis::handle(Exchange& exchange, Next next) const {
  const auto asked = policies_.ask(exchange);
  if (asked.count == 0) co_return co_await next(exchange);
  const auto now = clock_();
  const bool local_pass = count_here(asked, now);
  const bool anybody_may = store_.on_error == RateStore::OnError::kAllow && !link_->may_answer();
  if (!local_pass && !anybody_may) co_return policies_.refuse(exchange, asked);
  const auto questions = questions_for(asked, exchange);
  const auto answers = answers_for(asked, exchange.arena());
  const auto deadline = std::chrono::steady_clock::now() + store_.timeout;
  const error_code error = co_await link_->ask(questions, answers, deadline);
  count_outcome(asked, error);
  if (error) {
    if (store_.on_error == RateStore::OnError::kDeny) {
      policies_.give_back(asked, clock_());
      co_return deny(exchange);
    }
  } else if (!believe(exchange, asked, answers, now)) {
    co_return policies_.refuse(exchange, asked);
  }
  Response response = co_await next(exchange);
  if (exchange.outcome().flag == ResponseFlag::kRateLimited) policies_.give_back(asked, clock_());
  policies_.tell(response, asked);
  co_return response;
}

bool RateStoreRedis::count_here(const RatePolicySet::Asked& asked, RateTime now) const {
  if (!take_all(asked.enforced_asks(), now, clock_)) return false;
  for (std::size_t i = asked.enforced; i < asked.count; ++i) {
    RateAsk& ask = asked.asks[i];
    ask.decision = ask.table->decide(ask.key, now, ask.cost, &ask.charge);
  }
  return true;
}

// Takes over what Redis says, into this process's count too; whether the request passes.
bool RateStoreRedis::believe(Exchange& exchange, const RatePolicySet::Asked& asked,
                             std::span<const RateRedisAnswer> answers, RateTime now) const {
  const auto refuses = [](const RateRedisAnswer& answer) { return answer.over > RateDuration::zero(); };
  const bool pass =
      std::none_of(answers.begin(), answers.begin() + static_cast<std::ptrdiff_t>(asked.enforced), refuses);
  if (!pass) policies_.give_back(asked, clock_());
  for (std::size_t i = 0; i < asked.count; ++i) {
    RateAsk& ask = asked.asks[i];
    // As of before the question was sent: never more than Redis knows.
    ask.table->mirror(ask.key, now, answers[i].owed);
    ask.decision = ask.table->rule().standing(answers[i].owed);
    ask.decision.allowed = !refuses(answers[i]);
    ask.decision.retry_after = answers[i].over;
    if (pass && i >= asked.enforced && !ask.decision.allowed) RatePolicySet::let_pass(exchange, ask);
  }
  return pass;
}

Response RateStoreRedis::deny(Exchange& exchange) const {
  auto response = exchange.refuse(503, "Rate limiting is not available", "rate_limit_store_unavailable",
                                  ResponseFlag::kOverload, {kReducedCapacity, {}});
  response.headers.add_view("retry-after", "1");
  return response;
}

}  // namespace gatehouse
