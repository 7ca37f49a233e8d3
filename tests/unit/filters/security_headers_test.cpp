#include "filters/security_headers.hpp"
#include "support/filter_probe.hpp"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using test::all;
using test::FilterProbe;
using test::mistakes_in;
using test::one;

SecurityHeaders filter_of(std::string_view yaml) {
  return SecurityHeaders(test::read_section(yaml, SecurityHeaders::section(), SecurityHeaders::read));
}

// An answer over TLS, with everything that its fields live in.
class OverTls {
 public:
  explicit OverTls(std::string_view yaml, const test::Fields& said = {})
      : filter_(filter_of(yaml)), response_(probe_.over_tls().answer(filter_, said)) {}
  operator const Response&() const { return response_; }

 private:
  FilterProbe probe_;
  SecurityHeaders filter_;
  Response response_;
};

TEST(SecurityHeaders, ProtectAnApiWithOneWord) {
  const OverTls response("security_headers: api");
  EXPECT_EQ(one(response, "strict-transport-security"), "max-age=63072000");
  EXPECT_EQ(one(response, "x-content-type-options"), "nosniff");
  EXPECT_EQ(one(response, "x-frame-options"), "DENY");
  EXPECT_EQ(one(response, "content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
  EXPECT_EQ(one(response, "referrer-policy"), "no-referrer");
  EXPECT_EQ(one(response, "cache-control"), "no-store");
  EXPECT_EQ(one(response, "x-xss-protection"), "(absent)");
}

TEST(SecurityHeaders, OfTheWebPresetForbidPagesNothingThatTheyDid) {
  const OverTls response("security_headers: {}");
  EXPECT_EQ(one(response, "content-security-policy"), "(absent)");
  EXPECT_NE(one(response, "content-security-policy-report-only").find("default-src 'self'"), std::string::npos);
  EXPECT_EQ(one(response, "cross-origin-embedder-policy"), "(absent)");
  EXPECT_EQ(one(response, "cache-control"), "(absent)");
  EXPECT_EQ(one(response, "x-frame-options"), "SAMEORIGIN");
  EXPECT_EQ(one(response, "strict-transport-security"), "max-age=63072000");
}

TEST(SecurityHeaders, OfTheOwaspPresetAreThoseThatOwaspProposes) {
  const OverTls response("security_headers: { preset: owasp }");
  const std::pair<std::string_view, std::string_view> expected[] = {
      {"strict-transport-security", "max-age=63072000; includeSubDomains"},
      {"x-frame-options", "deny"},
      {"x-content-type-options", "nosniff"},
      {"content-security-policy",
       "default-src 'self'; form-action 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'none'; "
       "upgrade-insecure-requests"},
      {"x-permitted-cross-domain-policies", "none"},
      {"referrer-policy", "no-referrer"},
      {"cross-origin-embedder-policy", "require-corp"},
      {"cross-origin-opener-policy", "same-origin"},
      {"cross-origin-resource-policy", "same-origin"},
      {"cache-control", "no-store, max-age=0"},
      {"x-dns-prefetch-control", "off"},
      {"clear-site-data", "(absent)"},
  };
  for (const auto& [name, value] : expected) EXPECT_EQ(one(response, name), value) << name;
  EXPECT_TRUE(one(response, "permissions-policy").starts_with("accelerometer=(), autoplay=()"));
}

TEST(SecurityHeaders, PinHttpsWithoutTlsHereWhereTheUserSaysThatItEndsElsewhere) {
  const SecurityHeaders filter = filter_of("security_headers: { preset: api, hsts: { always: true } }");
  FilterProbe probe;
  EXPECT_EQ(one(probe.answer(filter), "strict-transport-security"), "max-age=63072000");
}

TEST(SecurityHeaders, StandOnRefusalsToo) {
  const SecurityHeaders filter = filter_of("security_headers: api");
  FilterProbe probe;
  const Response response = probe.over_tls().refusal(filter, 502);
  EXPECT_EQ(response.status, 502);
  EXPECT_EQ(one(response, "x-content-type-options"), "nosniff");
  EXPECT_EQ(one(response, "cache-control"), "no-store");
}

TEST(SecurityHeaders, LeaveWhatTheAppSaysWhereOnlyMissingOnesAreAdded) {
  const OverTls response("security_headers: api", {{"X-Frame-Options", "SAMEORIGIN"},
                                                   {"CACHE-CONTROL", "public, max-age=60"},
                                                   {"Content-Security-Policy", "default-src 'self'"},
                                                   {"Strict-Transport-Security", "max-age=1"}});
  EXPECT_EQ(one(response, "x-frame-options"), "SAMEORIGIN");
  EXPECT_EQ(one(response, "cache-control"), "public, max-age=60");
  EXPECT_EQ(one(response, "content-security-policy"), "default-src 'self'");
  EXPECT_EQ(one(response, "strict-transport-security"), "max-age=1");
  EXPECT_EQ(one(response, "referrer-policy"), "no-referrer");
}

TEST(SecurityHeaders, ReplaceWhatTheAppSaysWhereToldTo) {
  const OverTls response("security_headers: { preset: api, override: always }",
                         {{"X-Frame-Options", "ALLOWALL"}, {"x-frame-options", "SAMEORIGIN"}});
  EXPECT_EQ(one(response, "x-frame-options"), "DENY");
}

TEST(SecurityHeaders, LeaveTheAppsAnswersAloneWhereToldTo) {
  const SecurityHeaders filter =
      filter_of("security_headers: { preset: api, override: never, set: [{ name: X-Own, value: a }] }");
  FilterProbe probe;
  const Response response = probe.over_tls().answer(filter);
  EXPECT_EQ(one(response, "x-frame-options"), "(absent)");
  EXPECT_EQ(one(response, "x-own"), "a");
  FilterProbe refused;
  EXPECT_EQ(one(refused.refusal(filter, 429), "x-frame-options"), "DENY");
}

TEST(SecurityHeaders, WatchNoPolicyWhereTheAppHasOne) {
  const SecurityHeaders filter = filter_of("security_headers: web");
  for (const std::string_view name : {"Content-Security-Policy", "Content-Security-Policy-Report-Only"}) {
    FilterProbe probe;
    const Response response = probe.over_tls().answer(filter, {{name, "default-src *"}});
    EXPECT_EQ(
        all(response, "content-security-policy").size() + all(response, "content-security-policy-report-only").size(),
        1u);
  }
}

TEST(SecurityHeaders, PinHttpsOnlyOverTlsAndOnlyNames) {
  const SecurityHeaders filter =
      filter_of("security_headers: { preset: none, hsts: { max_age: 365d, include_subdomains: true, preload: true } }");
  const struct {
    std::string_view host;
    bool over_tls;
    std::string_view expected;
  } cases[] = {
      {"api.example.com", true, "max-age=31536000; includeSubDomains; preload"},
      {"api.example.com:8443", true, "max-age=31536000; includeSubDomains; preload"},
      {"notlocalhost", true, "max-age=31536000; includeSubDomains; preload"},
      {"api.example.com", false, "(absent)"},
      {"localhost:8443", true, "(absent)"},
      {"app.LOCALHOST", true, "(absent)"},
      {"127.0.0.1:8443", true, "(absent)"},
      {"[::1]:8443", true, "(absent)"},
      {"", true, "(absent)"},
  };
  for (const auto& each : cases) {
    FilterProbe probe;
    if (each.over_tls) probe.over_tls();
    EXPECT_EQ(one(probe.host(each.host).answer(filter), "strict-transport-security"), each.expected) << each.host;
  }
}

TEST(SecurityHeaders, TakeThePinOfTheAppAwayFromPlainAnswers) {
  for (const std::string_view yaml : {"security_headers: api", "security_headers: none"}) {
    const SecurityHeaders filter = filter_of(yaml);
    FilterProbe probe;
    EXPECT_EQ(one(probe.answer(filter, {{"Strict-Transport-Security", "max-age=1"}}), "strict-transport-security"),
              "(absent)");
  }
}

TEST(SecurityHeaders, CanGoWithoutThePin) {
  EXPECT_EQ(one(OverTls("security_headers: { preset: api, hsts: { enabled: false } }"), "strict-transport-security"),
            "(absent)");
  EXPECT_EQ(one(OverTls("security_headers: { preset: api, hsts: { max_age: 0s } }"), "strict-transport-security"),
            "max-age=0");
}

TEST(SecurityHeaders, TakeAPolicyInPlaceOfThePresetsAndTheApps) {
  const SecurityHeaders filter =
      filter_of("security_headers: { preset: web, csp: \"default-src 'self' cdn.example\" }");
  FilterProbe probe;
  const Response response = probe.over_tls().answer(filter, {{"Content-Security-Policy", "default-src *"}});
  EXPECT_EQ(one(response, "content-security-policy"), "default-src 'self' cdn.example");
  EXPECT_EQ(one(response, "content-security-policy-report-only"), "(absent)");
  EXPECT_EQ(one(OverTls("security_headers: { preset: api, csp: '' }"), "content-security-policy"), "(absent)");
  const OverTls watched("security_headers: { preset: api, csp_report_only: \"default-src 'self'\" }");
  EXPECT_EQ(one(watched, "content-security-policy-report-only"), "default-src 'self'");
  EXPECT_EQ(one(watched, "content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
}

TEST(SecurityHeaders, TellBrowsersInBothWaysWhereToReport) {
  const OverTls api("security_headers: { preset: api, reports: {} }");
  EXPECT_EQ(one(api, "content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'; report-uri /.well-known/csp-reports; report-to gatehouse");
  EXPECT_EQ(one(api, "reporting-endpoints"), "gatehouse=\"/.well-known/csp-reports\"");
  const OverTls web("security_headers: { preset: web, reports: /csp }", {{"Reporting-Endpoints", "own=\"/own\""}});
  EXPECT_TRUE(one(web, "content-security-policy-report-only").ends_with("; report-uri /csp; report-to gatehouse"));
  EXPECT_EQ(all(web, "reporting-endpoints"), (std::vector<std::string>{"own=\"/own\"", "gatehouse=\"/csp\""}));
  const OverTls without("security_headers: { preset: none, reports: /csp }");
  EXPECT_EQ(one(without, "reporting-endpoints"), "(absent)");
}

TEST(SecurityHeaders, SetAndRemoveWhatTheConfigurationNames) {
  const SecurityHeaders filter = filter_of(
      "security_headers: { preset: api, remove: [X-Internal-Node, cache-control], set: [{ name: X-Frame-Options, "
      "value: SAMEORIGIN }] }");
  FilterProbe probe;
  const Response response = probe.over_tls().answer(
      filter, {{"x-internal-node", "7"}, {"Cache-Control", "public"}, {"X-Frame-Options", "DENY"}});
  EXPECT_EQ(one(response, "x-internal-node"), "(absent)");
  EXPECT_EQ(one(response, "cache-control"), "(absent)");
  EXPECT_EQ(one(response, "x-frame-options"), "SAMEORIGIN");
}

TEST(SecurityHeaders, RemoveEveryFingerprintAndNothingElse) {
  const SecurityHeaders filter = filter_of("security_headers: none");
  test::Fields said;
  std::vector<std::string> shouted;
  for (const std::string_view name : fingerprint_names()) {
    std::string& loud = shouted.emplace_back(name);
    for (char& c : loud)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  for (const std::string& name : shouted) said.emplace_back(name, "1");
  const test::Fields kept{{"Content-Type", "text/html"},
                          {"WWW-Authenticate", "Bearer"},
                          {"X-Request-Id", "1"},
                          {"Set-Cookie", "a=b"},
                          {"X-Powered-Byy", "1"},
                          {"X-Powered-B", "1"},
                          {"Serve", "1"},
                          {"", "1"},
                          {"Link", "<a>"}};
  said.insert(said.end(), kept.begin(), kept.end());
  FilterProbe probe;
  const Response response = probe.answer(filter, said);
  EXPECT_EQ(response.headers.size(), kept.size());
  for (const auto& [name, value] : kept) EXPECT_EQ(one(response, name), value) << name;
  EXPECT_GE(fingerprint_names().size(), 87u);
}

TEST(SecurityHeaders, LeaveFingerprintsWhereToldTo) {
  EXPECT_EQ(
      one(OverTls("security_headers: { preset: api, remove_fingerprints: false }", {{"Server", "uvicorn"}}), "server"),
      "uvicorn");
}

TEST(SecurityHeaders, LeaveASwitchToAnotherProtocolAlone) {
  const SecurityHeaders filter = filter_of("security_headers: owasp");
  FilterProbe probe;
  EXPECT_EQ(probe.over_tls().answer(filter, {{"Sec-WebSocket-Accept", "x"}}, 101).headers.size(), 1u);
}

TEST(SecurityHeadersConfiguration, SaysWhatCannotBe) {
  const struct {
    std::string_view yaml, problem;
  } cases[] = {
      {"security_headers: { hsts: { preload: true } }", "needs include_subdomains"},
      {"security_headers: { hsts: { preload: true, include_subdomains: true, max_age: 30d } }", "at least 365d"},
      {"security_headers: { set: [{ name: Content-Length, value: '1' }] }", "how the message is sent"},
      {"security_headers: { remove: [Transfer-Encoding] }", "how the message is sent"},
      {"security_headers: { set: [{ name: Access-Control-Allow-Origin, value: '*' }] }", "said under cors"},
      {"security_headers: { set: [{ name: Strict-Transport-Security, value: max-age=1 }] }", "set by hsts"},
      {"security_headers: { set: [{ name: X-A, value: '1' }], remove: [x-a] }", "set and removed"},
      {"security_headers: { set: [{ name: X-A, value: \"a\\r\\nX-B: c\" }] }", "control character"},
      {"security_headers: { csp: \"default-src 'self';\\n\" }", "control character"},
      {"security_headers: { set: [{ name: 'X A', value: b }] }", "header name"},
      {"security_headers: { preset: oswap }", "owasp"},
      {"security_headers: { reports: '/a;b' }", "must not hold quotes"},
      {"security_headers: { reports: csp }", "must begin with /"},
  };
  for (const auto& each : cases)
    EXPECT_NE(mistakes_in(each.yaml, SecurityHeaders::section()).find(each.problem), std::string::npos)
        << each.yaml << "\n"
        << mistakes_in(each.yaml, SecurityHeaders::section());
}

TEST(FieldNameTable, FindsEachNameInAnyCaseAndNoOther) {
  FieldNameTable table;
  std::uint8_t number = 0;
  for (const std::string_view name : fingerprint_names()) table.put(name, number++);
  number = 0;
  for (const std::string_view name : fingerprint_names()) EXPECT_EQ(table.find(name), number++) << name;
  EXPECT_EQ(table.find("SERVER"), table.find("server"));
  table.put("Server", 200);
  EXPECT_EQ(table.find("server"), 200);
  for (const std::string_view name : {"", "x", "serves", "content-type", "x-powered-by-", "\x80\xff"})
    EXPECT_EQ(table.find(name), FieldNameTable::kAbsent) << name;
}

}  // namespace
}  // namespace gatehouse
