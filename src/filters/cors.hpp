// Cross-origin resource sharing (Fetch standard, 3.2): says to browsers which other origins may call the app and read
// its answers. Gatehouse owns what is said: the app's own fields about it are replaced, never doubled, and every answer
// has them, also the refusals that Gatehouse writes itself, so that a page can read their status.
//
// Trusts nobody: an origin is compared with the configured ones as a whole. Preflights end here, before anything
// further in can refuse them; a plain OPTIONS goes to the app. One per worker and route; read only but for the
// counters, which belong to the worker.
#pragma once

#include "filters/cors_origin.hpp"
#include "observe/metrics.hpp"

#include <gatehouse/filter.hpp>
#include <gatehouse/options.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace gatehouse {

// What the CORS filters of one worker saw. In shadow mode the same, of what would have been done.
struct CorsCounters {
  observe::Counter preflights_answered;
  observe::Counter preflights_refused;  // origin, method, header or private network not allowed
  observe::Counter origins_allowed;     // requests other than preflights
  observe::Counter origins_refused;
  observe::Counter requests_blocked;
  observe::Counter app_answers_replaced;  // the app spoke about CORS too
  observe::Counter app_disagreements;     // and named another origin than Gatehouse does
};

class Cors final : public HeaderFilter {
 public:
  enum class Upstream : std::uint8_t { kReplace, kKeep };
  struct Options {
    OriginSet allow_origins;
    std::vector<std::string> allow_methods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    std::vector<std::string> allow_headers{"Authorization", "Content-Type",     "Idempotency-Key", "If-Match",
                                           "If-None-Match", "Traceparent",      "Tracestate",      "X-CSRF-Token",
                                           "X-Request-Id",  "X-Requested-With", "X-XSRF-Token"};
    std::vector<std::string> expose_headers{
        "Content-Disposition", "ETag",        "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After",
        "WWW-Authenticate",    "X-Request-Id"};
    std::chrono::seconds max_age{600};
    bool allow_credentials = false;
    bool private_network = false;
    Upstream upstream = Upstream::kReplace;
    bool shadow = false;
    bool block = false;
  };
  // The keys under `cors`, at the top and per route.
  static Section section();
  static Options read(const OptionsReader& reader);
  static std::unique_ptr<Filter> make(OptionsReader& reader, CorsCounters& counters);

  Cors(Options options, CorsCounters& counters);
  std::optional<Response> on_request(Exchange& exchange) const override;
  void on_response(Exchange& exchange, Response& response) const override;

 private:
  struct Preflight;
  // What a browser's preflight asks for; nothing where the request is none.
  std::optional<Preflight> preflight_of(const Request& request) const;
  std::string_view verdict(const Preflight& preflight) const;
  Response answer(Exchange& exchange, const Preflight& preflight) const;
  std::string_view named_origin(Exchange& exchange) const;
  void observe(Exchange& exchange, const Response& response, std::string_view named) const;
  bool blocks(const Exchange& exchange) const;
  bool allows(std::string_view origin) const {
    return options_.allow_origins.any() || options_.allow_origins.contains(origin);
  }
  bool names_header(std::string_view name) const;
  void write_fields(std::string_view origin, Headers& headers) const;

  Options options_;
  CorsCounters& counters_;
  // The fields that do not depend on the request, composed once.
  std::string methods_;
  std::string headers_;
  std::string exposed_;
  std::string max_age_;
  std::string preflight_vary_;
  bool any_method_ = false;
  bool any_header_ = false;
};

}  // namespace gatehouse
