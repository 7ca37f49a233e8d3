#include "app/browser_metrics.hpp"

namespace gatehouse {
namespace {

using Workers = std::vector<std::unique_ptr<WorkerFilterCounters>>;

template <class Counters>
struct Row {
  observe::Counter Counters::*counter;
  const char* name;
  const char* help;
};

constexpr Row<CorsCounters> kCors[] = {
    {&CorsCounters::preflights_answered, "gatehouse_cors_preflights_answered_total", "Preflights answered."},
    {&CorsCounters::preflights_refused, "gatehouse_cors_preflights_refused_total", "Preflights refused."},
    {&CorsCounters::origins_allowed, "gatehouse_cors_origins_allowed_total",
     "Requests of pages that may read the answer."},
    {&CorsCounters::origins_refused, "gatehouse_cors_origins_refused_total", "Requests of pages of other origins."},
    {&CorsCounters::requests_blocked, "gatehouse_cors_requests_blocked_total", "Requests refused for their origin."},
    {&CorsCounters::app_answers_replaced, "gatehouse_cors_app_answers_replaced_total",
     "Answers in which the app spoke about CORS too."},
    {&CorsCounters::app_disagreements, "gatehouse_cors_app_disagreements_total",
     "Of these, answers that named another origin."},
};
constexpr Row<CookieCounters> kCookies[] = {
    {&CookieCounters::hardened, "gatehouse_cookies_hardened_total", "Cookies of the app that lacked a flag."},
    {&CookieCounters::cross_site, "gatehouse_cookies_unusable_total",
     "Cookies with SameSite=None and without Secure, which browsers refuse."},
};
constexpr Row<CrossSiteCounters> kCrossSite[] = {
    {&CrossSiteCounters::refused, "gatehouse_cross_site_requests_refused_total",
     "Requests refused because a page of another site sent them."},
    {&CrossSiteCounters::reported, "gatehouse_cross_site_requests_reported_total",
     "Requests that would have been refused for that."},
};
constexpr Row<CspCounters> kReports[] = {
    {&CspCounters::reported, "gatehouse_csp_reports_total",
     "Violations of a Content-Security-Policy reported by browsers."},
    {&CspCounters::malformed, "gatehouse_csp_reports_malformed_total", "Bodies that were no report."},
    {&CspCounters::dropped, "gatehouse_csp_reports_dropped_total", "Reports beyond the rate."},
};

template <class Counters, std::size_t size>
void add(std::vector<admin::Family>& families, const Row<Counters> (&rows)[size],
         Counters WorkerFilterCounters::*counters, const Workers& workers) {
  for (const auto& row : rows) {
    std::uint64_t total = 0;
    for (const auto& worker : workers) total += ((*worker).*counters.*row.counter).get();
    families.push_back({row.name, row.help, true, {{{}, static_cast<double>(total)}}});
  }
}

}  // namespace

std::vector<admin::Family> browser_families(const Workers& workers) {
  std::vector<admin::Family> families;
  add(families, kCors, &WorkerFilterCounters::cors, workers);
  add(families, kCookies, &WorkerFilterCounters::cookies, workers);
  add(families, kCrossSite, &WorkerFilterCounters::cross_site, workers);
  add(families, kReports, &WorkerFilterCounters::csp, workers);
  return families;
}

}  // namespace gatehouse
