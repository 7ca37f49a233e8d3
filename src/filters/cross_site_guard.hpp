// Refuses what pages of other sites make a browser do in a user's name (cross-site request forgery): requests that may
// change something, and WebSocket handshakes. The browser itself says where a request comes from, in Sec-Fetch-Site
// (Fetch Metadata), and in Origin where that is missing; a client that says neither is no browser, and carries no
// user's cookies by itself.
//
// Trusts nobody. Origins that CORS names may do what CORS lets them. One per worker and route; read only but for the
// counters, which belong to the worker.
#pragma once

#include "filters/cors_origin.hpp"
#include "http/path_pattern.hpp"
#include "observe/metrics.hpp"

#include <gatehouse/filter.hpp>
#include <gatehouse/options.hpp>

#include <memory>
#include <string>
#include <vector>

namespace gatehouse {

struct CrossSiteCounters {
  observe::Counter refused;
  observe::Counter reported;  // would have been refused
};

class CrossSiteGuard final : public HeaderFilter {
 public:
  enum class Mode : std::uint8_t { kOff, kReport, kEnforce };
  enum class SameSite : std::uint8_t { kAllow, kRefuse };
  struct Options {
    Mode mode = Mode::kEnforce;
    SameSite same_site = SameSite::kAllow;  // pages of sibling hosts: www.example.com calls api.example.com
    OriginSet allow_origins;
    std::vector<std::string> exempt;  // path patterns as in routes
  };
  // The keys under `cross_site_guard`, at the top and per route.
  static Section section();
  static Options read(const OptionsReader& reader);
  // `cors_origins`: those that `cors` allows on the same route. `*` among them trusts nobody, but lets requests through
  // that carry no credentials.
  static std::unique_ptr<Filter> make(OptionsReader& reader, OriginSet cors_origins, CrossSiteCounters& counters);

  CrossSiteGuard(Options options, OriginSet cors_origins, CrossSiteCounters& counters);
  std::optional<Response> on_request(Exchange& exchange) const override;
  void on_response(Exchange&, Response&) const override {}

 private:
  bool comes_from_elsewhere(const Exchange& exchange) const;
  bool is_exempt(const Request& request) const;

  Options options_;
  OriginSet cors_origins_;
  std::vector<http::PathPattern> exempt_;
  CrossSiteCounters& counters_;
};

}  // namespace gatehouse
