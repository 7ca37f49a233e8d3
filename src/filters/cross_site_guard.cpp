#include "filters/cross_site_guard.hpp"

#include "http/target.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

// RFC 9110 9.2.1, less TRACE, which no browser sends.
bool is_safe(Method method) noexcept {
  return method == Method::kGet || method == Method::kHead || method == Method::kOptions;
}

// A handshake is a GET, but what it opens is a conversation in the user's name that CORS does not guard.
bool opens_websocket(const Request& request) noexcept {
  return request.headers.find("sec-websocket-key") != nullptr ||
         equals_ignoring_case(request.headers.value(FieldId::upgrade), "websocket");
}

bool carries_credentials(const Request& request) noexcept {
  return request.headers.find(FieldId::cookie) != nullptr || request.headers.find(FieldId::authorization) != nullptr;
}

// What an app that decodes once more than we do would leave the exempt folder by.
bool climbs(std::string_view path) noexcept {
  return path.find("/../") != std::string_view::npos || path.ends_with("/..") || path.find('\\') != std::string_view::npos;
}

}  // namespace

CrossSiteGuard::CrossSiteGuard(Options options, OriginSet cors_origins, CrossSiteCounters& counters)
    : options_(std::move(options)), cors_origins_(std::move(cors_origins)), counters_(counters) {
  for (const std::string& pattern : options_.exempt) exempt_.emplace_back(pattern);
}

Section CrossSiteGuard::section() {
  Section section;
  section.per_route = true;
  section.spec =
      key::map("cross_site_guard",
               {
                   key::choice("mode", {"off", "report", "enforce"}, "enforce",
                               "enforce: refuses with 403; report: counts and notes what would be refused."),
                   key::choice("same_site", {"allow", "refuse"}, "allow",
                               "Whether pages of sibling hosts (www.example.com for api.example.com) may change things "
                               "without being named."),
                   key::texts("allow_origins", {}, "Origins that may, besides those that cors names; written as there.")
                       .of_format(kOriginFormat)
                       .within(0, 1000),
                   key::texts("exempt", {},
                              "Paths that anybody's pages may call, such as /webhooks/* or where another site posts a "
                              "log-in back.")
                       .of_format(format::kRoutePath)
                       .within(0, 256),
               },
               "Refuses requests that pages of other sites make browsers send in a user's name.")
          .or_just("mode")
          .optional();
  section.check = [](OptionsReader& reader) {
    const std::vector<std::string> origins = reader.texts("allow_origins");
    for (std::size_t i = 0; i < origins.size(); ++i)
      if (origins[i] == "*")
        reader.mistake("allow_origins", i, "\"*\" would guard nothing: name the origins, or use mode: off");
  };
  return section;
}

CrossSiteGuard::Options CrossSiteGuard::read(const OptionsReader& reader) {
  Options options;
  options.mode = reader.choice<Mode>("mode");
  options.same_site = reader.choice<SameSite>("same_site");
  for (const std::string& origin : reader.texts("allow_origins")) options.allow_origins.add(origin);
  options.exempt = reader.texts("exempt");
  return options;
}

std::unique_ptr<Filter> CrossSiteGuard::make(OptionsReader& reader, OriginSet cors_origins,
                                             CrossSiteCounters& counters) {
  return std::make_unique<CrossSiteGuard>(read(reader), std::move(cors_origins), counters);
}

bool CrossSiteGuard::is_exempt(const Request& request) const {
  if (exempt_.empty()) return false;
  const std::string_view path = http::comparable_path(request.path, request.headers.arena());
  return !climbs(path) && std::any_of(exempt_.begin(), exempt_.end(),
                                      [&](const http::PathPattern& pattern) { return pattern.matches(path); });
}

bool CrossSiteGuard::comes_from_elsewhere(const Exchange& exchange) const {
  const Request& request = exchange.request();
  const auto origin = request_origin(request);
  if (origin && (options_.allow_origins.contains(*origin) || cors_origins_.contains(*origin))) return false;
  const std::string_view site = request.headers.value("sec-fetch-site");
  if (site == "same-origin" || site == "none") return false;  // none: the user's own doing, no page's
  if (site == "same-site") return options_.same_site == SameSite::kRefuse;
  if (site == "cross-site") return true;
  if (origin) return !is_own_origin(exchange, *origin);
  // Several Origin fields are no browser's doing.
  return request.headers.find(FieldId::origin) != nullptr;
}

std::optional<Response> CrossSiteGuard::on_request(Exchange& exchange) const {
  const Request& request = exchange.request();
  if (options_.mode == Mode::kOff) return std::nullopt;
  if (is_safe(request.method) && !opens_websocket(request)) return std::nullopt;
  if (!comes_from_elsewhere(exchange) || is_exempt(request)) return std::nullopt;
  if (cors_origins_.any() && !carries_credentials(request)) return std::nullopt;
  if (options_.mode == Mode::kReport) {
    counters_.reported.add();
    if (exchange.note.empty()) exchange.note = "cross_site_request";
    return std::nullopt;
  }
  counters_.refused.add();
  return exchange.refuse(403, "Pages of other sites may not do this", "cross_site_request", ResponseFlag::kLocal);
}

}  // namespace gatehouse
