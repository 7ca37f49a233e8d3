#include "app/filter_catalog.hpp"

#include "config/load.hpp"
#include "filters/rate_limit.hpp"
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

}  // namespace

std::span<const Section> filter_sections() {
  static const std::vector<Section> kSections{SecurityHeaders::section(), Cors::section(), rate_limits_section()};
  return kSections;
}

std::vector<std::unique_ptr<Filter>> build_filters(const Config& config, std::optional<std::size_t> route,
                                                   FilterResources& resources, WorkerFilterCounters& counters,
                                                   Mistakes& mistakes) {
  std::vector<std::unique_ptr<Filter>> filters;
  // First, so that every answer, whoever gives it, carries the id that its record has.
  filters.push_back(std::make_unique<RequestId>());
  // Outside everything that can refuse: an error page is a page too.
  OptionsReader security = section(config, "security_headers", mistakes, route);
  filters.push_back(SecurityHeaders::make(security));
  // Outside everything that can refuse, or a browser shows a CORS error where the truth is 401, 413, 429 or 502; before authentication
  // and limits, which preflights cannot pass.
  if (has_section(config, "cors") || (route && has_section(config, "cors", route))) {
    OptionsReader cors = section(config, "cors", mistakes, route);
    filters.push_back(Cors::make(cors, counters.cors));
  }
  // Behind everything that decorates answers, so that refusals of malformed requests are decorated too; before everything that would
  // judge a request by a head that could not be read.
  filters.push_back(std::make_unique<proxy::Hygiene>());
  // Before anything that costs: the client has to come again anyway.
  filters.push_back(std::make_unique<proxy::HttpsRedirect>());
  // Everything behind costs the app something.
  const auto policies = rate_policies(config, route, mistakes);
  if (!policies.empty()) filters.push_back(std::make_unique<RateLimit>(policies, resources.rate_tables));
  return filters;
}

std::vector<std::unique_ptr<Filter>> build_own_filters() {
  std::vector<std::unique_ptr<Filter>> filters;
  filters.push_back(std::make_unique<RequestId>());
  filters.push_back(std::make_unique<proxy::Hygiene>());
  return filters;
}

}  // namespace gatehouse
