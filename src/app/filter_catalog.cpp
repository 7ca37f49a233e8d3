#include "app/filter_catalog.hpp"

#include "filters/request_id.hpp"
#include "proxy/https_redirect.hpp"
#include "proxy/hygiene.hpp"

namespace gatehouse {

std::span<const Section> filter_sections() {
  static const std::vector<Section> kSections{};
  return kSections;
}

std::vector<std::unique_ptr<Filter>> build_filters(const Config&, std::optional<std::size_t>, Mistakes&) {
  std::vector<std::unique_ptr<Filter>> filters;
  // First, so that every answer, whoever gives it, carries the id that its record has.
  filters.push_back(std::make_unique<RequestId>());
  // Behind everything that decorates answers, so that refusals of malformed requests are decorated too; before everything that would
  // judge a request by a head that could not be read.
  filters.push_back(std::make_unique<proxy::Hygiene>());
  // Before anything that costs: the client has to come again anyway.
  filters.push_back(std::make_unique<proxy::HttpsRedirect>());
  return filters;
}

std::vector<std::unique_ptr<Filter>> build_own_filters() {
  std::vector<std::unique_ptr<Filter>> filters;
  filters.push_back(std::make_unique<RequestId>());
  filters.push_back(std::make_unique<proxy::Hygiene>());
  return filters;
}

}  // namespace gatehouse
