// The endpoint to which browsers report pages that broke their Content-Security-Policy: reads a bounded body, hands
// what it says to whoever logs it, and counts. So many a second and worker, and no more: anybody may post here.
//
// Trusts nobody. The one filter here that may wait, and only for a request to its path. One per worker and route; the
// counters belong to the worker.
#pragma once

#include "filters/csp_report.hpp"
#include "observe/metrics.hpp"

#include <gatehouse/filter.hpp>
#include <gatehouse/options.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace gatehouse {

struct CspCounters {
  observe::Counter reported;   // violations handed on
  observe::Counter malformed;  // bodies that were no report
  observe::Counter dropped;    // beyond the rate
};

class CspReports final : public Filter {
 public:
  // Called for each violation, on the worker's thread.
  using Sink = std::function<void(const CspReport&)>;
  struct Options {
    std::string path = "/.well-known/csp-reports";
    unsigned per_second = 10;
  };
  // The map `reports` of the section `security_headers`.
  static KeySpec key();
  static Options read(const OptionsReader& reports);
  // `security_headers`: a reader of that section. Null where it asks for no reports.
  static std::unique_ptr<Filter> make(OptionsReader& security_headers, Sink sink, CspCounters& counters);

  CspReports(Options options, Sink sink, CspCounters& counters);
  awaitable<Response> handle(Exchange& exchange, Next next) const override;

 private:
  std::optional<Response> refuse_early(Exchange& exchange) const;
  void take(std::string_view body) const;
  bool spend() const noexcept;
  void refill(std::chrono::steady_clock::time_point now) const noexcept;

  Options options_;
  Sink sink_;
  CspCounters& counters_;
  // A filter belongs to one worker.
  mutable double allowance_;
  mutable std::chrono::steady_clock::time_point refilled_;
};

}  // namespace gatehouse
