#include "filters/rate_policy_set.hpp"

#include <algorithm>
#include <new>

namespace gatehouse {
namespace {

constexpr std::string_view kQuotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded";
constexpr std::string_view kAbnormalUsage = "https://iana.org/assignments/http-problem-types#abnormal-usage-detected";

constexpr std::uint32_t bit(Method method) noexcept { return std::uint32_t{1} << static_cast<unsigned>(method); }

std::uint32_t method_bits(const std::vector<std::string>& names) {
  if (names.empty()) return ~std::uint32_t{0};
  std::uint32_t bits = 0;
  for (const auto& name : names) {
    Method method = Method::kOther;
    for (const auto known : {Method::kGet, Method::kHead, Method::kPost, Method::kPut, Method::kDelete,
                             Method::kConnect, Method::kOptions, Method::kTrace, Method::kPatch})
      if (method_label(known) == name) method = known;
    bits |= bit(method);
  }
  // The application does the same work for HEAD.
  if ((bits & bit(Method::kGet)) != 0) bits |= bit(Method::kHead);
  return bits;
}

template <class T>
T* array_in(Arena& arena, std::size_t count) {
  return static_cast<T*>(arena.allocate(count * sizeof(T)));
}

bool applies_to(const RatePolicySet::Policy& policy, const Exchange& exchange) {
  const RatePolicy& settings = policy.settings;
  if ((policy.methods & bit(exchange.request().method)) == 0) return false;
  if (!settings.exempt_addresses.empty() && settings.exempt_addresses.contains(IpAddress{exchange.client.bytes}))
    return false;
  return std::none_of(settings.exempt_paths.begin(), settings.exempt_paths.end(),
                      [&](const auto& pattern) { return path_is_exempt(exchange.request().path, pattern); });
}

RateStanding standing(const RatePolicySet::Policy& policy, const RateDecision& decision) {
  const RateRule& rule = policy.table->rule();
  const auto more_after = decision.allowed ? rule.next_unit_after(decision) : decision.retry_after;
  return {policy.item, policy.settings.name, rule.burst(), decision.remaining, more_after, decision.reset_after};
}

}  // namespace

RatePolicySet::RatePolicySet(const std::vector<RatePolicy>& policies, RateTables& tables) : tables_(tables) {
  for (const RatePolicy& settings : policies) {
    auto definition = settings.definition();
    auto table = tables.obtain(settings.name, definition, settings.rule(), settings.max_keys);
    policies_.push_back({settings, method_bits(settings.methods), std::move(table),
                         rate_policy_item(settings.name, settings.quota, settings.window), std::move(definition)});
  }
  std::stable_partition(policies_.begin(), policies_.end(),
                        [](const Policy& policy) { return !policy.settings.shadow; });
}

RatePolicySet::Asked RatePolicySet::ask(Exchange& exchange) const {
  Arena& arena = exchange.arena();
  Asked asked{array_in<RateAsk>(arena, policies_.size()), array_in<const Policy*>(arena, policies_.size()), 0, 0};
  for (const Policy& policy : policies_) {
    if (!applies_to(policy, exchange)) continue;
    const auto key = policy.settings.key.key_of(exchange, tables_.secret());
    new (&asked.asks[asked.count]) RateAsk{policy.table.get(), key, policy.settings.cost, {}, {}};
    asked.policies[asked.count++] = &policy;
    if (!policy.settings.shadow) asked.enforced = asked.count;
  }
  return asked;
}

void RatePolicySet::tell(Response& response, const Asked& asked) const {
  auto* const ietf = array_in<RateStanding>(response.headers.arena(), 2 * asked.enforced);
  auto* const legacy = ietf + asked.enforced;
  std::size_t ietf_count = 0;
  std::size_t legacy_count = 0;
  for (std::size_t i = 0; i < asked.enforced; ++i) {
    const auto fields = asked.policies[i]->settings.fields;
    const auto now_at = standing(*asked.policies[i], asked.asks[i].decision);
    if (fields == RateFields::kIetf || fields == RateFields::kBoth) new (&ietf[ietf_count++]) RateStanding(now_at);
    if (fields == RateFields::kLegacy || fields == RateFields::kBoth)
      new (&legacy[legacy_count++]) RateStanding(now_at);
  }
  add_ietf_fields(response, {ietf, ietf_count});
  add_legacy_fields(response, {legacy, legacy_count});
}

Response RatePolicySet::refuse(Exchange& exchange, const Asked& asked) const {
  Arena& arena = exchange.arena();
  std::string_view names;
  RateDuration wait{};
  bool shield = false;
  for (std::size_t i = 0; i < asked.enforced; ++i) {
    const RateAsk& ask = asked.asks[i];
    if (ask.decision.allowed) continue;
    const RatePolicy& settings = asked.policies[i]->settings;
    names = arena.join({names, names.empty() ? "\"" : ",\"", settings.name, "\""});
    wait = std::max(wait, ask.decision.retry_after);
    shield = shield || settings.counts_failures();
    ask.table->counters().limited.fetch_add(1, std::memory_order_relaxed);
  }
  const ProblemDetail detail{shield ? kAbnormalUsage : kQuotaExceeded,
                             arena.join({",\"violated-policies\":[", names, "]"})};
  auto response =
      shield ? exchange.refuse(429, "Too many failed attempts", "locked_out", ResponseFlag::kRateLimited, detail)
             : exchange.refuse(429, "Too many requests", "rate_limited", ResponseFlag::kRateLimited, detail);
  response.headers.add_view("retry-after", decimal_text(std::max<std::uint64_t>(1, seconds_up(wait)), arena));
  tell(response, asked);
  return response;
}

void RatePolicySet::let_pass(Exchange& exchange, const RateAsk& ask) noexcept {
  ask.table->counters().shadow_limited.fetch_add(1, std::memory_order_relaxed);
  if (exchange.note.empty()) exchange.note = "rate_limit_shadow";
}

void RatePolicySet::give_back(const Asked& asked, RateTime now) const noexcept {
  for (std::size_t i = 0; i < asked.count; ++i) {
    RateAsk& ask = asked.asks[i];
    ask.table->give_back(ask.key, now, ask.charge);
    ask.charge = {};
    if (ask.decision.allowed) ask.decision = ask.table->peek(ask.key, now, 0);
  }
}

}  // namespace gatehouse
