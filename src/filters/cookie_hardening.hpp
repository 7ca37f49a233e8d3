// Adds to the cookies that the app sets what keeps them from thieves: Secure, HttpOnly, SameSite (RFC 6265bis). Only
// ever adds: a flag that is there stays, a cookie that a browser would have taken it still takes, and what a browser
// would have refused for want of Secure it takes where the client uses TLS.
//
// Trusts upstream. Each Set-Cookie field is one cookie, read the way browsers read it: at semicolons, never at commas.
// One per worker and route; read only but for the counters, which belong to the worker.
#pragma once

#include "observe/metrics.hpp"

#include <gatehouse/filter.hpp>
#include <gatehouse/options.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse {

struct CookieCounters {
  observe::Counter hardened;    // cookies that got a flag; with report_only: that would have
  observe::Counter cross_site;  // SameSite=None without Secure and without TLS: browsers refuse these
};

class CookieHardening final : public HeaderFilter {
 public:
  enum class SameSite : std::uint8_t { kLax, kStrict, kNone, kOff };
  // What of the settings is different for cookies of some names.
  struct Exception {
    std::string name;  // with a * at its end: every name that begins so
    std::optional<bool> secure;
    std::optional<bool> http_only;
    std::optional<SameSite> same_site;
  };
  struct Options {
    bool secure = true;
    bool http_only = true;
    SameSite same_site = SameSite::kLax;
    std::vector<Exception> exceptions;  // the first that names a cookie counts
    bool report_only = false;
  };
  // The keys under `cookies`, at the top and per route.
  static Section section();
  static Options read(const OptionsReader& reader);
  static std::unique_ptr<Filter> make(OptionsReader& reader, CookieCounters& counters);

  CookieHardening(Options options, CookieCounters& counters);
  std::optional<Response> on_request(Exchange&) const override { return std::nullopt; }
  void on_response(Exchange& exchange, Response& response) const override;

 private:
  struct Wanted {
    bool secure;
    bool http_only;
    SameSite same_site;
  };
  Wanted wanted_for(std::string_view name) const noexcept;
  std::string_view hardened(std::string_view cookie, bool tls, Arena& arena) const;

  Options options_;
  CookieCounters& counters_;
};

}  // namespace gatehouse
