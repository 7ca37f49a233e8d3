#include "filters/rate_limit.hpp"

namespace gatehouse {

std::optional<Response> RateLimit::on_request(Exchange& exchange) const {
  const auto asked = policies_.ask(exchange);
  if (asked.count == 0) return {};
  const auto now = clock_();
  if (!take_all(asked.enforced_asks(), now, clock_)) return policies_.refuse(exchange, asked);
  for (std::size_t i = asked.enforced; i < asked.count; ++i) {
    auto& ask = asked.asks[i];
    ask.decision = ask.table->decide(ask.key, now, ask.cost, &ask.charge);
    if (!ask.decision.allowed) RatePolicySet::let_pass(exchange, ask);
  }
  exchange.remember(*this, asked);
  return {};
}

void RateLimit::on_response(Exchange& exchange, Response& response) const {
  const auto* const asked = exchange.recall<RatePolicySet::Asked>(*this);
  if (asked == nullptr) return;
  if (exchange.outcome().flag == ResponseFlag::kRateLimited)
    policies_.give_back(*asked, clock_());
  else
    settle_failures(*asked, response.status);
  policies_.tell(response, *asked);
}

void RateLimit::settle_failures(const RatePolicySet::Asked& asked, int status) const {
  for (std::size_t i = 0; i < asked.count; ++i) {
    auto& [table, key, cost, decision, charge] = asked.asks[i];
    const RatePolicy& settings = asked.policies[i]->settings;
    if (!settings.counts_failures()) continue;
    const auto now = clock_();
    if (settings.counts(status))
      table->fail(key, now);
    else if (settings.clear_on_success && status < 400)
      table->forgive(key);
    else
      table->give_back(key, now, charge);
    decision = table->peek(key, now, 0);
  }
}

}  // namespace gatehouse
