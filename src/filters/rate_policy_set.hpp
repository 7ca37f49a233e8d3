// The policies of one filter with their tables, and what is the same wherever the counts are kept: which of them a
// request meets, what a refusal looks like, and what answers tell. One for each worker; built at start-up, then read
// only.
#pragma once

#include "filters/rate_fields.hpp"
#include "filters/rate_policy.hpp"
#include "filters/rate_tables.hpp"

#include <gatehouse/filter.hpp>

#include <memory>
#include <vector>

namespace gatehouse {

class RatePolicySet {
 public:
  struct Policy {
    RatePolicy settings;
    std::uint32_t methods = 0;  // a bit for each Method
    std::shared_ptr<RateTable> table;
    std::string item;        // of RateLimit-Policy
    std::string definition;  // RatePolicy::definition()
  };
  // What one exchange has to ask, in its arena: first the policies that refuse, then those that only watch.
  struct Asked {
    RateAsk* asks = nullptr;
    const Policy** policies = nullptr;
    std::size_t count = 0;
    std::size_t enforced = 0;

    std::span<RateAsk> enforced_asks() const noexcept { return {asks, enforced}; }
  };

  // `tables` must outlive the set.
  RatePolicySet(const std::vector<RatePolicy>& policies, RateTables& tables);

  Asked ask(Exchange& exchange) const;
  // 429 for the policies whose decision is no; counts them.
  Response refuse(Exchange& exchange, const Asked& asked) const;
  // A shadow policy would have refused: counted, and noted for the access record.
  static void let_pass(Exchange& exchange, const RateAsk& ask) noexcept;
  // Where the client stands with each enforced policy.
  void tell(Response& response, const Asked& asked) const;
  // Returns what the decisions took; they tell of the standing after that.
  void give_back(const Asked& asked, RateTime now) const noexcept;

 private:
  std::vector<Policy> policies_;
  RateTables& tables_;
};

}  // namespace gatehouse
