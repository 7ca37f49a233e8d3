// Every filter there is: its settings, and where it stands in the chain. The only list of both.
#pragma once

#include "config/config.hpp"
#include "filters/cors.hpp"
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
};
// What the filters of one worker share.
struct WorkerFilterCounters {
  CorsCounters cors;
};

// The filters of one route (or, without an index, of what no route matches) for one worker, outermost first. Mistakes that only the
// filters can see are added to `mistakes`.
std::vector<std::unique_ptr<Filter>> build_filters(const Config& config, std::optional<std::size_t> route,
                                                   FilterResources& resources, WorkerFilterCounters& counters,
                                                   Mistakes& mistakes);

// The few that Gatehouse's own endpoints have.
std::vector<std::unique_ptr<Filter>> build_own_filters();

}  // namespace gatehouse
