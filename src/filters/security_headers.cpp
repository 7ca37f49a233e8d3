#include "filters/security_headers.hpp"

#include "http/address.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

using Preset = SecurityHeaders::Preset;

constexpr std::string_view kStrictTransport = "strict-transport-security";
constexpr std::string_view kPolicy = "content-security-policy";
constexpr std::string_view kReportOnly = "content-security-policy-report-only";

struct Pair {
  std::string_view name;
  std::string_view value;
};

// Documents of an API are no pages: nothing may run in them, frame them, or keep them.
constexpr Pair kApi[] = {
    {"x-content-type-options", "nosniff"},
    {"x-frame-options", "DENY"},
    {"referrer-policy", "no-referrer"},
    {"cross-origin-opener-policy", "same-origin"},
    {"cross-origin-resource-policy", "same-origin"},
    {"x-permitted-cross-domain-policies", "none"},
    {"permissions-policy", "camera=(), geolocation=(), microphone=()"},
    {"cache-control", "no-store"},
};
// Pages frame themselves, open log-in windows, and are embedded by their own site.
constexpr Pair kWeb[] = {
    {"x-content-type-options", "nosniff"},
    {"x-frame-options", "SAMEORIGIN"},
    {"referrer-policy", "strict-origin-when-cross-origin"},
    {"cross-origin-opener-policy", "same-origin-allow-popups"},
    {"cross-origin-resource-policy", "same-site"},
    {"x-permitted-cross-domain-policies", "none"},
    {"permissions-policy", "camera=(self), geolocation=(self), microphone=(self), payment=(self), usb=(self)"},
};
// ci/headers_add.json of the project, without Clear-Site-Data, which belongs to a log-out alone.
constexpr Pair kOwasp[] = {
    {"x-content-type-options", "nosniff"},
    {"x-frame-options", "deny"},
    {"referrer-policy", "no-referrer"},
    {"cross-origin-embedder-policy", "require-corp"},
    {"cross-origin-opener-policy", "same-origin"},
    {"cross-origin-resource-policy", "same-origin"},
    {"x-permitted-cross-domain-policies", "none"},
    {"x-dns-prefetch-control", "off"},
    {"permissions-policy",
     "accelerometer=(), autoplay=(), camera=(), cross-origin-isolated=(), display-capture=(), encrypted-media=(), "
     "fullscreen=(), geolocation=(), gyroscope=(), keyboard-map=(), magnetometer=(), microphone=(), midi=(), "
     "payment=(), "
     "picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), sync-xhr=(self), usb=(), web-share=(), "
     "xr-spatial-tracking=(), clipboard-read=(), clipboard-write=(), gamepad=(), hid=(), idle-detection=(), "
     "interest-cohort=(), serial=(), unload=()"},
    {"cache-control", "no-store, max-age=0"},
};

std::span<const Pair> fields_of(Preset preset) noexcept {
  switch (preset) {
    case Preset::kNone:
      return {};
    case Preset::kApi:
      return kApi;
    case Preset::kWeb:
      return kWeb;
    case Preset::kOwasp:
      return kOwasp;
  }
  return {};
}

std::string_view policy_of(Preset preset) noexcept {
  switch (preset) {
    case Preset::kApi:
      return "default-src 'none'; frame-ancestors 'none'";
    case Preset::kOwasp:
      return "default-src 'self'; form-action 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'none'; "
             "upgrade-insecure-requests";
    case Preset::kNone:
    case Preset::kWeb:
      break;
  }
  return {};
}

// A policy that was written for no app in particular is only watched.
std::string_view watched_policy_of(Preset preset) noexcept {
  if (preset != Preset::kWeb) return {};
  return "default-src 'self'; form-action 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'self'";
}

std::string text_of(const SecurityHeaders::Hsts& hsts) {
  return "max-age=" + std::to_string(hsts.max_age.count()) + (hsts.include_subdomains ? "; includeSubDomains" : "") +
         (hsts.preload ? "; preload" : "");
}

std::optional<SecurityHeaders::Hsts> hsts_of(const SecurityHeaders::Options& options) {
  if (options.hsts) return options.hsts;
  if (options.preset == Preset::kNone) return std::nullopt;
  SecurityHeaders::Hsts hsts;
  hsts.include_subdomains = options.preset == Preset::kOwasp;
  return hsts;
}

// Browsers that know the newer way ignore the older, and the others the newer.
std::string with_reports(std::string_view policy, std::string_view path) {
  if (policy.empty() || path.empty()) return std::string(policy);
  return std::string(policy) + "; report-uri " + std::string(path) + "; report-to gatehouse";
}

// A browser forgets it for addresses (RFC 6797 8.1.1); for localhost it would send every other program of the
// developer's machine to HTTPS.
bool can_be_pinned(std::string_view authority) noexcept {
  if (authority.empty() || authority.front() == '[') return false;
  const std::string_view host = authority.substr(0, authority.find(':'));
  constexpr std::string_view kLocal = "localhost";
  if (host.size() >= kLocal.size()) {
    const std::size_t front = host.size() - kLocal.size();
    if (equals_ignoring_case(host.substr(front), kLocal) && (front == 0 || host[front - 1] == '.')) return false;
  }
  return !parse_address(host);
}

}  // namespace

SecurityHeaders::SecurityHeaders(const Options& options) {
  const Override preset_override =
      options.override_app.value_or(options.preset == Preset::kOwasp ? Override::kAlways : Override::kMissing);
  if (options.remove_fingerprints)
    for (const std::string_view name : fingerprint_names()) rule(name).remove = true;
  for (const std::string& name : options.remove) rule(name).remove = true;
  const auto is_unwanted = [&](std::string_view name) {
    const auto same = [&](std::string_view other) { return equals_ignoring_case(other, name); };
    return std::any_of(options.remove.begin(), options.remove.end(), same) ||
           std::any_of(options.set.begin(), options.set.end(), [&](const Named& field) { return same(field.name); });
  };

  rule(kStrictTransport);
  if (const auto hsts = hsts_of(options); hsts && hsts->enabled && !is_unwanted(kStrictTransport)) {
    if (!hsts->always) only_over_tls_ |= std::uint64_t{1} << fields_.size();
    add(kStrictTransport, text_of(*hsts), options.hsts ? Override::kAlways : preset_override);
  }
  const std::string policy = with_reports(options.csp ? *options.csp : policy_of(options.preset), options.reports_path);
  if (!policy.empty() && !is_unwanted(kPolicy)) add(kPolicy, policy, options.csp ? Override::kAlways : preset_override);
  const bool preset_watches = !options.csp && !options.csp_report_only;
  const std::string watched = with_reports(options.csp_report_only ? *options.csp_report_only
                                           : preset_watches        ? watched_policy_of(options.preset)
                                                                   : "",
                                           options.reports_path);
  if (!watched.empty() && !is_unwanted(kReportOnly)) {
    // An app with a policy of its own needs no advice about another.
    if (preset_watches) rule(kPolicy).satisfies |= std::uint64_t{1} << fields_.size();
    add(kReportOnly, watched, options.csp_report_only ? Override::kAlways : preset_override);
  }
  for (const Pair& field : fields_of(options.preset))
    if (!is_unwanted(field.name)) add(field.name, field.value, preset_override);
  for (const Named& field : options.set) add(field.name, field.value, Override::kAlways);
  // One more of it says one more name: it is a dictionary.
  if (!options.reports_path.empty() && !(policy.empty() && watched.empty()))
    fields_.push_back({"reporting-endpoints", "gatehouse=\"" + options.reports_path + "\"", FieldId::other});
}

SecurityHeaders::Rule& SecurityHeaders::rule(std::string_view name) {
  const std::uint8_t known = names_.find(name);
  if (known != FieldNameTable::kAbsent) return rules_[known];
  names_.put(name, static_cast<std::uint8_t>(rules_.size()));
  return rules_.emplace_back();
}

void SecurityHeaders::add(std::string_view name, std::string_view value, Override override_app) {
  const std::uint64_t bit = std::uint64_t{1} << fields_.size();
  Rule& known = rule(name);
  if (override_app == Override::kAlways)
    known.remove = true;
  else if (!known.remove)
    known.satisfies |= bit;
  if (override_app == Override::kNever) only_on_own_ |= bit;
  fields_.push_back({std::string(name), std::string(value), field_id(name)});
}

void SecurityHeaders::on_response(Exchange& exchange, Response& response) const {
  if (response.status == 101) return;
  const bool tls = exchange.client_scheme == Scheme::kHttps;
  std::uint64_t left_out = 0;
  response.headers.remove_if([&](const Field& field) {
    const std::uint8_t found = names_.find(field.name);
    if (found == FieldNameTable::kAbsent) return false;
    const Rule& rule = rules_[found];
    left_out |= rule.satisfies;
    // RFC 6797 7.2: never without TLS.
    return rule.remove || (!tls && equals_ignoring_case(field.name, kStrictTransport));
  });
  if (!exchange.outcome().sidecar) left_out |= only_on_own_;
  if (only_over_tls_ != 0 && !(tls && can_be_pinned(exchange.request().authority))) left_out |= only_over_tls_;
  for (std::size_t i = 0; i < fields_.size(); ++i)
    if ((left_out >> i & 1) == 0) response.headers.append({fields_[i].name, fields_[i].value, fields_[i].id});
}

}  // namespace gatehouse
