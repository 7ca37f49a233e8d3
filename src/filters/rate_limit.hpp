// Refuses requests that come faster than a policy allows, with 429, and tells clients where they stand.
//
// Trusts nobody: counts by the client's settled address (see http/forwarded.hpp), or by what rate_key.hpp says. All
// policies are asked before one takes anything, so a refused request costs nothing. Where a limit further in refuses,
// what was taken here is given back.
//
// A policy with `count_statuses` takes a unit when the request comes and gives it back when the answer is no failure:
// however many guesses run at the same time, no more than the quota can. The last failure locks out; a success clears.
//
// One instance for each worker; the counts are shared through RateTables. No allocation from the heap for a request.
#pragma once

#include "filters/rate_policy_set.hpp"

namespace gatehouse {

class RateLimit final : public HeaderFilter {
 public:
  using Clock = RateTime (*)();

  // `tables` must outlive the filter.
  RateLimit(const std::vector<RatePolicy>& policies, RateTables& tables, Clock clock = &std::chrono::steady_clock::now)
      : policies_(policies, tables), clock_(clock) {}

  std::optional<Response> on_request(Exchange& exchange) const override;
  void on_response(Exchange& exchange, Response& response) const override;

 private:
  void settle_failures(const RatePolicySet::Asked& asked, int status) const;

  RatePolicySet policies_;
  Clock clock_;
};

}  // namespace gatehouse
