// Every filter there is: its settings, and where it stands in the chain. The only list of both.
#pragma once

#include "config/config.hpp"
#include "filters/concurrency_limit.hpp"
#include "filters/cookie_hardening.hpp"
#include "filters/cors.hpp"
#include "filters/cross_site_guard.hpp"
#include "filters/csp_reports.hpp"
#include "filters/rate_store_redis.hpp"
#include "filters/rate_tables.hpp"

#include <gatehouse/filter.hpp>
#include <gatehouse/options.hpp>

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace gatehouse {

// The settings that filters bring to the configuration.
std::span<const Section> filter_sections();

// What filters of all workers share; outlives them.
struct FilterResources {
  RateTables rate_tables;
  ConcurrencyLimit::Gates concurrency_gates;
  CspReports::Sink log_csp_report;
};
// What the filters of one worker share.
struct WorkerFilterCounters {
  RedisLinks redis_links;
  CorsCounters cors;
  CookieCounters cookies;
  CrossSiteCounters cross_site;
  CspCounters csp;
};

// Whether the filter of that section stands on the route: the user wrote it, for all requests or for these.
bool has_filter(const Config& config, std::string_view section, std::optional<std::size_t> route);
// The filters of one route (or, without an index, of what no route matches) for one worker, outermost first. Mistakes that only the
// filters can see are added to `mistakes`.
std::vector<std::unique_ptr<Filter>> build_filters(const Config& config, std::optional<std::size_t> route,
                                                   FilterResources& resources, WorkerFilterCounters& counters,
                                                   Mistakes& mistakes);

// Those of Gatehouse's own endpoints on the public listeners: a page may read /health where it may read the app.
std::vector<std::unique_ptr<Filter>> build_public_filters(const Config& config, WorkerFilterCounters& counters,
                                                          Mistakes& mistakes);
// The few that those on the admin listener have.
std::vector<std::unique_ptr<Filter>> build_own_filters();

}  // namespace gatehouse
