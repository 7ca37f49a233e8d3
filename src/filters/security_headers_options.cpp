#include "filters/csp_reports.hpp"
#include "filters/security_headers.hpp"

#include "http/syntax.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

using Problem = std::optional<std::string>;

Problem value_problem(std::string_view text) {
  if (!http::all(http::kFieldByte, text)) return "has a control character, which no header may hold";
  if (http::trim(text).size() != text.size()) return "begins or ends with white space";
  return std::nullopt;
}

// Fields that say where a message ends or how the connection goes on are Gatehouse's business.
bool is_framing(std::string_view name) noexcept {
  switch (field_id(name)) {
    case FieldId::connection:
    case FieldId::content_length:
    case FieldId::date:
    case FieldId::keep_alive:
    case FieldId::proxy_connection:
    case FieldId::te:
    case FieldId::trailer:
    case FieldId::transfer_encoding:
    case FieldId::upgrade:
      return true;
    default:
      return false;
  }
}

Problem ours_problem(std::string_view name) {
  if (!http::is_token(name)) return "is not a header name such as X-Api-Key";
  if (is_framing(name)) return "says how the message is sent, which is not the configuration's to say";
  constexpr std::string_view kCors = "access-control-";
  if (name.size() > kCors.size() && equals_ignoring_case(name.substr(0, kCors.size()), kCors))
    return "is said under cors";
  return std::nullopt;
}

const TextFormat kFieldValue{"header value", "", value_problem};
const TextFormat kOwnField{"header name", "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", ours_problem};

void check(OptionsReader& reader) {
  if (reader.has("hsts")) {
    OptionsReader hsts = reader.map("hsts");
    const bool long_enough = hsts.duration("max_age") >= std::chrono::hours{24 * 365};
    if (hsts.boolean("preload") && !(long_enough && hsts.boolean("include_subdomains")))
      hsts.mistake("preload",
                   "needs include_subdomains and a max_age of at least 365d, or the preload list refuses the site");
  }
  std::vector<std::string> removed = reader.texts("remove");
  std::vector<OptionsReader> set = reader.maps("set");
  for (OptionsReader& field : set) {
    const std::string& name = field.text("name");
    const auto same = [&](const std::string& other) { return equals_ignoring_case(other, name); };
    if (std::any_of(removed.begin(), removed.end(), same)) field.mistake("name", "is set and removed: do one of them");
    if (equals_ignoring_case(name, "content-security-policy") && reader.has("csp"))
      field.mistake("name", "is set here and by csp: do one of them");
    if (equals_ignoring_case(name, "strict-transport-security"))
      field.mistake("name", "is set by hsts, which knows that it must not be sent without TLS");
  }
}

}  // namespace

Section SecurityHeaders::section() {
  Section section;
  section.per_route = true;
  section.spec =
      key::map(
          "security_headers",
          {
              key::choice(
                  "preset", {"none", "api", "web", "owasp"}, "web",
                  "api: for answers that no browser shows as a page; web: for pages, breaks none; owasp: the values "
                  "that the OWASP Secure Headers Project proposes; none: only what is written here."),
              key::choice(
                  "override", {"never", "missing", "always"}, std::nullopt,
                  "What of the preset is put on the app's answers: nothing (never), what the app does not say "
                  "(missing; for api and web), or all of it in place of what the app says (always; for owasp)."),
              key::map("hsts",
                       {
                           key::boolean("enabled", true, "Sent at all."),
                           key::duration("max_age", std::chrono::hours{24 * 730},
                                         "How long a browser keeps to HTTPS; 0s makes it forget."),
                           key::boolean("include_subdomains", false, "Also for every name below this one."),
                           key::boolean("preload", false, "Asks to be put on the list that browsers are built with."),
                           key::boolean("always", false,
                                        "Also without TLS here and for any host: for a load balancer in front that ends "
                                        "TLS and does not say so."),
                       },
                       "Strict-Transport-Security, sent over TLS alone, and never for localhost or an address.")
                  .optional(),
              key::text("csp", std::nullopt,
                        "Content-Security-Policy, in place of the preset's and the app's; empty: none.")
                  .of_format(kFieldValue)
                  .may_be_empty(),
              key::text("csp_report_only", std::nullopt,
                        "Content-Security-Policy-Report-Only: what a policy would refuse is reported and not refused; "
                        "empty: none.")
                  .of_format(kFieldValue)
                  .may_be_empty(),
              CspReports::key(),
              key::boolean("remove_fingerprints", true,
                           "Removes the response headers that tell what the app is made of (OWASP's list: Server, "
                           "X-Powered-By and about 85 more)."),
              key::maps("set",
                        {
                            key::text("name", std::nullopt, "Name of the header.").of_format(kOwnField).required(),
                            key::text("value", std::nullopt, "Its value.").of_format(kFieldValue).required(),
                        },
                        "Response headers with a value of yours, in place of the preset's and the app's.")
                  .within(0, 32),
              key::texts("remove", {}, "Response headers that no answer shall have.")
                  .of_format(kOwnField)
                  .within(0, 64),
          },
          "Response headers that make browsers protect the app's users.")
          .or_just("preset")
          .optional();
  section.check = check;
  return section;
}

SecurityHeaders::Options SecurityHeaders::read(const OptionsReader& reader) {
  Options options;
  options.preset = reader.choice<Preset>("preset");
  if (reader.has("override")) options.override_app = reader.choice<Override>("override");
  if (reader.has("hsts")) {
    const OptionsReader hsts = reader.map("hsts");
    options.hsts =
        Hsts{hsts.boolean("enabled"), std::chrono::duration_cast<std::chrono::seconds>(hsts.duration("max_age")),
             hsts.boolean("include_subdomains"), hsts.boolean("preload"), hsts.boolean("always")};
  }
  if (reader.has("csp")) options.csp = reader.text("csp");
  if (reader.has("csp_report_only")) options.csp_report_only = reader.text("csp_report_only");
  if (reader.has("reports")) options.reports_path = CspReports::read(reader.map("reports")).path;
  options.remove_fingerprints = reader.boolean("remove_fingerprints");
  for (const OptionsReader& field : reader.maps("set"))
    options.set.push_back({field.text("name"), field.text("value")});
  options.remove = reader.texts("remove");
  return options;
}

std::unique_ptr<Filter> SecurityHeaders::make(OptionsReader& reader) {
  return std::make_unique<SecurityHeaders>(read(reader));
}

}  // namespace gatehouse
