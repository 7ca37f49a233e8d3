// The response fields that tell a browser to protect itself (OWASP Secure Headers Project): chosen by one word, refined
// by a few keys, and removed where they only tell what the app is made of. On every answer, also those that Gatehouse
// writes.
//
// Trusts upstream: what the app says about a field stands unless `override` or `set` says otherwise. One per worker and
// route; everything that does not depend on the request is composed once, so that a response costs one look-up for each
// of its fields and no allocation.
#pragma once

#include "filters/security_headers_names.hpp"

#include <gatehouse/filter.hpp>
#include <gatehouse/options.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse {

class SecurityHeaders final : public HeaderFilter {
 public:
  enum class Preset : std::uint8_t {
    kNone,
    kApi,    // for answers that no browser shows as a page
    kWeb,    // for pages: nothing in it breaks a page that worked without
    kOwasp,  // the values that OWASP proposes, exactly
  };
  enum class Override : std::uint8_t {
    kNever,    // the app's answers are left alone, Gatehouse's own have the fields
    kMissing,  // added where the app does not say anything
    kAlways,   // the app's are replaced
  };
  struct Hsts {
    bool enabled = true;
    std::chrono::seconds max_age{63072000};
    bool include_subdomains = false;
    bool preload = false;
    bool always = false;  // also where this process sees no TLS
  };
  struct Named {
    std::string name;
    std::string value;
  };
  struct Options {
    Preset preset = Preset::kWeb;
    std::optional<Override> override_app;  // nothing: kAlways for kOwasp, kMissing for the others
    std::optional<Hsts> hsts;              // nothing: the preset's
    std::optional<std::string> csp;        // nothing: the preset's; empty: none
    std::optional<std::string> csp_report_only;
    std::string reports_path;  // where browsers are told to send reports; empty: nowhere
    bool remove_fingerprints = true;
    std::vector<Named> set;  // replaces whatever the app says
    std::vector<std::string> remove;
  };
  // The keys under `security_headers`, at the top and per route. CspReports reads `reports` of the same section.
  static Section section();
  static Options read(const OptionsReader& reader);
  static std::unique_ptr<Filter> make(OptionsReader& reader);

  explicit SecurityHeaders(const Options& options);
  std::optional<Response> on_request(Exchange&) const override { return std::nullopt; }
  void on_response(Exchange& exchange, Response& response) const override;

 private:
  // What a field of that name in a response means.
  struct Rule {
    bool remove = false;
    std::uint64_t satisfies = 0;  // our fields, by position, that are not added then
  };
  void add(std::string_view name, std::string_view value, Override override_app);
  Rule& rule(std::string_view name);

  struct Added {
    std::string name;
    std::string value;
    FieldId id;
  };
  std::vector<Added> fields_;  // at most 64
  std::vector<Rule> rules_;
  FieldNameTable names_;  // to positions in rules_
  std::uint64_t only_over_tls_ = 0;
  std::uint64_t only_on_own_ = 0;
};

}  // namespace gatehouse
