#include "app/filter_catalog.hpp"

#include "config/load.hpp"
#include "filters/rate_filters.hpp"
#include "filters/request_id.hpp"
#include "filters/security_headers.hpp"
#include "proxy/https_redirect.hpp"
#include "proxy/hygiene.hpp"

namespace gatehouse {
namespace {

// The limits of all requests, then those of the route: one filter asks them all, so that a refusal by one costs nothing of the others.
std::vector<RatePolicy> rate_policies(const Config& config, std::optional<std::size_t> route, Mistakes& mistakes) {
  OptionsReader everywhere = section(config, "rate_limits", mistakes);
  std::vector<RatePolicy> policies = read_rate_policies(everywhere);
  if (!route || !has_section(config, "rate_limits", route)) return policies;
  OptionsReader here = section(config, "rate_limits", mistakes, route);
  for (RatePolicy& policy : read_rate_policies(here)) policies.push_back(std::move(policy));
  return policies;
}

// What every answer passes on its way out, whoever gives it, outermost first.
std::vector<std::unique_ptr<Filter>> build_decorators(const Config& config, std::optional<std::size_t> route,
                                                      WorkerFilterCounters& counters, Mistakes& mistakes) {
  std::vector<std::unique_ptr<Filter>> filters;
  // First, so that every answer, whoever gives it, carries the id that its record has.
  filters.push_back(std::make_unique<RequestId>());
  // Outside everything that can refuse: an error page is a page too.
  if (has_filter(config, "security_headers", route)) {
    OptionsReader security = section(config, "security_headers", mistakes, route);
    filters.push_back(SecurityHeaders::make(security));
  } else {
    // Nobody asked for a policy, and a guessed one could break pages or pin a host to HTTPS for years: only what tells the app's
    // software is taken away.
    SecurityHeaders::Options quiet;
    quiet.preset = SecurityHeaders::Preset::kNone;
    filters.push_back(std::make_unique<SecurityHeaders>(quiet));
  }
  // Beside them, so that cookies set further in are hardened, whoever sets them.
  if (has_filter(config, "cookies", route)) {
    OptionsReader cookies = section(config, "cookies", mistakes, route);
    filters.push_back(CookieHardening::make(cookies, counters.cookies));
  }
  // Outside everything that can refuse, or a browser shows a CORS error where the truth is 401, 413, 429 or 502; before authentication
  // and limits, which preflights cannot pass.
  if (has_filter(config, "cors", route)) {
    OptionsReader cors = section(config, "cors", mistakes, route);
    filters.push_back(Cors::make(cors, counters.cors));
  }
  // Behind everything that decorates answers, so that refusals of malformed requests are decorated too; before everything that would
  // judge a request by a head that could not be read.
  filters.push_back(std::make_unique<proxy::Hygiene>());
  return filters;
}

// A route's own limit before the limit of all requests: who waits for the route takes no place of the others.
void add_concurrency_limits(std::vector<std::unique_ptr<Filter>>& filters, const Config& config, std::optional<std::size_t> route,
                            ConcurrencyLimit::Gates& gates, Mistakes& mistakes) {
  const auto add = [&](std::optional<std::size_t> where, std::string name, std::string scope) {
    if (!has_section(config, "concurrency", where)) return;
    OptionsReader reader = section(config, "concurrency", mistakes, where);
    auto options = ConcurrencyLimit::read(reader);
    if (options.requests == 0 && options.per_client == 0) return;
    options.name = std::move(name);
    options.scope = std::move(scope);
    filters.push_back(std::make_unique<ConcurrencyLimit>(std::move(options), gates));
  };
  if (route) {
    const RouteMatch& match = config.routes[*route].match;
    std::string scope = match.host;
    for (const std::string& method : match.methods) scope += ' ' + method;
    add(route, match.path, std::move(scope));
  }
  add(std::nullopt, "all", {});
}

// The origins that CORS names on this route: the guard lets them do what CORS lets them do.
OriginSet cors_origins(const Config& config, std::optional<std::size_t> route, Mistakes& mistakes) {
  if (!has_filter(config, "cors", route)) return {};
  return Cors::read(section(config, "cors", mistakes, route)).allow_origins;
}

}  // namespace

std::span<const Section> filter_sections() {
  static const std::vector<Section> kSections{SecurityHeaders::section(), CookieHardening::section(), Cors::section(),
                                              rate_limits_section(), CrossSiteGuard::section(),
                                              ConcurrencyLimit::section()};
  return kSections;
}

bool has_filter(const Config& config, std::string_view name, std::optional<std::size_t> route) {
  return has_section(config, name) || (route && has_section(config, name, route));
}

std::vector<std::unique_ptr<Filter>> build_filters(const Config& config, std::optional<std::size_t> route,
                                                   FilterResources& resources, WorkerFilterCounters& counters,
                                                   Mistakes& mistakes) {
  auto filters = build_decorators(config, route, counters, mistakes);
  // Before anything that costs: the client has to come again anyway.
  filters.push_back(std::make_unique<proxy::HttpsRedirect>());
  // Before the limits: it has its own, and a page with many mistakes must not lock its user out.
  if (has_filter(config, "security_headers", route)) {
    OptionsReader security = section(config, "security_headers", mistakes, route);
    if (auto reports = CspReports::make(security, resources.log_csp_report, counters.csp)) filters.push_back(std::move(reports));
  }
  // Everything behind costs the app something.
  const auto policies = rate_policies(config, route, mistakes);
  for (auto& filter : make_rate_limits(policies, resources.rate_tables, counters.redis_links))
    filters.push_back(std::move(filter));
  // Behind the limits, which count what it refuses; before authentication, whose cookies it protects.
  if (has_filter(config, "cross_site_guard", route)) {
    OptionsReader guard = section(config, "cross_site_guard", mistakes, route);
    filters.push_back(CrossSiteGuard::make(guard, cors_origins(config, route, mistakes), counters.cross_site));
  }
  // Last: who waits for a place has passed everything else.
  add_concurrency_limits(filters, config, route, resources.concurrency_gates, mistakes);
  return filters;
}

std::vector<std::unique_ptr<Filter>> build_public_filters(const Config& config, WorkerFilterCounters& counters,
                                                          Mistakes& mistakes) {
  return build_decorators(config, std::nullopt, counters, mistakes);
}

std::vector<std::unique_ptr<Filter>> build_own_filters() {
  std::vector<std::unique_ptr<Filter>> filters;
  filters.push_back(std::make_unique<RequestId>());
  filters.push_back(std::make_unique<proxy::Hygiene>());
  return filters;
}

}  // namespace gatehouse
