// Refuses requests that come faster than a policy allows, with 429, and tells clients where they stand.
//
// Trusts nobody: counts by the client's settled address (see http/forwarded.hpp), or by what rate_key.hpp says. All
// policies are asked before one takes anything, so a refused request costs only what refused it: nothing. Where the
// application, or a limit further in, answers 429 in our name, what was taken is given back.
//
// A policy with `count_statuses` takes a unit when the request comes and gives it back when the answer is no failure:
// however many guesses run at the same time, no more than the quota can. The last failure locks out; a success clears.
//
// One instance for each worker; the counts are shared through RateTables. No allocation from the heap for a request.
#pragma once

#include "filters/rate_fields.hpp"
#include "filters/rate_policy.hpp"
#include "filters/rate_tables.hpp"

#include <gatehouse/filter.hpp>

#include <memory>
#include <vector>

namespace gatehouse {

class RateLimit final : public HeaderFilter {
 public:
  using Clock = RateTime (*)();

  // `tables` must outlive the filter.
  RateLimit(const std::vector<RatePolicy>& policies, RateTables& tables, Clock clock = &std::chrono::steady_clock::now);

  std::optional<Response> on_request(Exchange& exchange) const override;
  void on_response(Exchange& exchange, Response& response) const override;

 private:
  struct Policy {
    RatePolicy settings;
    std::uint32_t methods = 0;  // a bit for each Method
    std::shared_ptr<RateTable> table;
    std::string item;

    bool applies_to(const Exchange& exchange) const;
    RateStanding standing(const RateDecision& decision) const;
  };
  // What was asked for one exchange: first the policies that refuse, then those that only watch.
  struct Asked {
    RateAsk* asks;
    const Policy** policies;
    std::size_t count;
    std::size_t enforced;
  };

  Asked ask(Exchange& exchange) const;
  Response refuse(Exchange& exchange, const Asked& asked) const;
  void settle_failures(const Asked& asked, int status) const;
  void tell(Response& response, const Asked& asked) const;

  std::vector<Policy> policies_;
  RateTables& tables_;
  Clock clock_;
};

}  // namespace gatehouse
