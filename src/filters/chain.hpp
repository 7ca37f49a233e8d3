// The filters of one route and the step they end in. Built at start-up, then read only; one instance per worker.
#pragma once

#include <gatehouse/filter.hpp>

#include <memory>
#include <vector>

namespace gatehouse {

// The innermost step of a chain: it always answers.
class Terminal {
 public:
  virtual ~Terminal() = default;
  virtual awaitable<Response> handle(Exchange& exchange) = 0;
};

class Chain {
 public:
  // Outermost filter first. `terminal` must outlive the chain.
  Chain(std::vector<std::unique_ptr<Filter>> filters, Terminal& terminal);

  awaitable<Response> run(Exchange& exchange) const { return run_from(0, exchange); }

 private:
  friend class Next;
  awaitable<Response> run_from(std::size_t index, Exchange& exchange) const;

  struct Link {
    std::unique_ptr<Filter> filter;
    const HeaderFilter* header_filter;  // the same object where it is one
  };
  std::vector<Link> links_;
  Terminal& terminal_;
};

}  // namespace gatehouse
