#include "filters/cross_site_guard.hpp"

#include "support/filter_probe.hpp"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using test::FilterProbe;
using test::mistakes_in;

struct Guard {
  explicit Guard(std::string_view yaml, std::initializer_list<std::string_view> cors = {})
      : filter(test::read_section(yaml, CrossSiteGuard::section(), CrossSiteGuard::read), set_of(cors), counters) {}
  static OriginSet set_of(std::initializer_list<std::string_view> entries) {
    OriginSet set;
    for (const auto entry : entries) EXPECT_EQ(set.add(entry), std::nullopt);
    return set;
  }
  CrossSiteCounters counters;
  CrossSiteGuard filter;
};

int status(const Guard& guard, FilterProbe& probe) { return probe.answer(guard.filter).status; }

TEST(CrossSiteGuard, JudgesUnsafeRequestsByWhatTheBrowserSays) {
  const Guard guard("cross_site_guard: enforce");
  const struct {
    Method method;
    std::string_view site, origin;
    int status;
  } cases[] = {
      {Method::kPost, "cross-site", "https://evil.example", 403},
      {Method::kPut, "cross-site", "https://evil.example", 403},
      {Method::kPatch, "cross-site", "", 403},
      {Method::kDelete, "cross-site", "null", 403},
      {Method::kOther, "cross-site", "", 403},
      {Method::kPost, "same-origin", "https://api.example.com", 200},
      {Method::kPost, "same-site", "https://www.example.com", 200},
      {Method::kPost, "none", "", 200},
      {Method::kPost, "", "", 200},  // no browser
      {Method::kGet, "cross-site", "", 200},
      {Method::kHead, "cross-site", "", 200},
      {Method::kOptions, "cross-site", "https://evil.example", 200},
      // Without Sec-Fetch-Site, and with one that no browser sends, the origin counts.
      {Method::kPost, "", "https://evil.example", 403},
      {Method::kPost, "", "null", 403},
      {Method::kPost, "", "https://api.example.com", 200},
      {Method::kPost, "", "https://api.example.com.evil.example", 403},
      {Method::kPost, "Same-Origin", "https://evil.example", 403},
  };
  for (const auto& each : cases) {
    FilterProbe probe(each.method);
    probe.over_tls();
    if (!each.site.empty()) probe.with("Sec-Fetch-Site", each.site);
    if (!each.origin.empty()) probe.with("Origin", each.origin);
    EXPECT_EQ(status(guard, probe), each.status) << each.site << " " << each.origin;
  }
}

TEST(CrossSiteGuard, SaysWhyItRefuses) {
  const Guard guard("cross_site_guard: {}");
  FilterProbe probe(Method::kPost);
  EXPECT_EQ(status(guard, probe.with("Sec-Fetch-Site", "cross-site")), 403);
  EXPECT_EQ(probe.exchange.outcome().reason, "cross_site_request");
  EXPECT_EQ(guard.counters.refused.get(), 1u);
}

TEST(CrossSiteGuard, RefusesSiblingsWhereToldTo) {
  const Guard guard("cross_site_guard: { same_site: refuse, allow_origins: [https://www.example.com] }");
  FilterProbe sibling(Method::kPost);
  EXPECT_EQ(status(guard, sibling.with("Sec-Fetch-Site", "same-site").with("Origin", "https://old.example.com")), 403);
  FilterProbe named(Method::kPost);
  EXPECT_EQ(status(guard, named.with("Sec-Fetch-Site", "same-site").with("Origin", "https://www.example.com")), 200);
}

TEST(CrossSiteGuard, LetsOriginsThroughThatCorsNames) {
  const Guard guard("cross_site_guard: enforce", {"https://app.example.net", "https://*.preview.example"});
  for (const std::string_view origin : {"https://app.example.net", "https://a.preview.example"}) {
    FilterProbe probe(Method::kPost);
    EXPECT_EQ(status(guard, probe.with("Sec-Fetch-Site", "cross-site").with("Origin", origin)), 200);
  }
  FilterProbe other(Method::kPost);
  EXPECT_EQ(status(guard, other.with("Sec-Fetch-Site", "cross-site").with("Origin", "https://evil.example")), 403);
}

TEST(CrossSiteGuard, LetsPublicRequestsThroughOnlyWithoutCredentials) {
  const Guard guard("cross_site_guard: enforce", {"*"});
  FilterProbe bare(Method::kPost);
  EXPECT_EQ(status(guard, bare.with("Sec-Fetch-Site", "cross-site").with("Origin", "https://anyone.example")), 200);
  for (const std::string_view field : {"Cookie", "Authorization"}) {
    FilterProbe probe(Method::kPost);
    EXPECT_EQ(
        status(guard,
               probe.with("Sec-Fetch-Site", "cross-site").with("Origin", "https://anyone.example").with(field, "x")),
        403);
  }
}

TEST(CrossSiteGuard, GuardsWebSocketHandshakes) {
  const Guard guard("cross_site_guard: enforce");
  FilterProbe foreign;
  foreign.with("Upgrade", "websocket").with("Connection", "Upgrade").with("Origin", "https://evil.example");
  EXPECT_EQ(status(guard, foreign), 403);
  FilterProbe keyed;
  EXPECT_EQ(status(guard, keyed.with("Sec-WebSocket-Key", "x").with("Sec-Fetch-Site", "cross-site")), 403);
  FilterProbe own;
  EXPECT_EQ(status(guard, own.with("Upgrade", "websocket").with("Origin", "https://api.example.com")), 200);
}

TEST(CrossSiteGuard, TakesSeveralOriginsForAnAttack) {
  const Guard guard("cross_site_guard: enforce");
  FilterProbe probe(Method::kPost);
  EXPECT_EQ(status(guard, probe.with("Origin", "https://api.example.com").with("Origin", "https://evil.example")), 403);
}

TEST(CrossSiteGuard, ExemptsPathsAndNothingBeside) {
  const Guard guard("cross_site_guard: { exempt: [/webhooks/*, /login/callback, '/hooks/{name}/in'] }");
  const struct {
    std::string_view path;
    int status;
  } cases[] = {
      {"/webhooks", 200},
      {"/webhooks/stripe", 200},
      {"/webhooks/a/b", 200},
      {"/webhooksx", 403},
      {"/login/callback", 200},
      {"/login", 403},
      {"/login/callback/", 200},
      {"//login/callback", 200}, {"/%6cogin/callback", 200}, {"/webhooks/..%2fadmin", 403}, {"/webhooks/%2e%2e/admin", 403},
      {"/webhooks/..", 403}, {"/webhooks/..%5cadmin", 403},
      {"/LOGIN/CALLBACK", 403},
      {"/hooks/a/in", 200},
      {"/hooks//in", 403},
      {"/hooks/a/b/in", 403},
      {"/hooks/a", 403},
      {"/", 403},
      {"/x/webhooks/", 403},
      {"", 403},
      {"*", 403},
  };
  for (const auto& each : cases) {
    FilterProbe probe(Method::kPost, each.path);
    EXPECT_EQ(status(guard, probe.with("Sec-Fetch-Site", "cross-site")), each.status) << each.path;
  }
}

TEST(CrossSiteGuard, OnlyNotesWhereItReports) {
  const Guard guard("cross_site_guard: report");
  FilterProbe probe(Method::kPost);
  EXPECT_EQ(status(guard, probe.with("Sec-Fetch-Site", "cross-site")), 200);
  EXPECT_EQ(probe.exchange.note, "cross_site_request");
  EXPECT_FALSE(probe.exchange.outcome().sidecar);
  EXPECT_EQ(guard.counters.reported.get(), 1u);
  EXPECT_EQ(guard.counters.refused.get(), 0u);
}

TEST(CrossSiteGuard, DoesNothingWhereItIsOff) {
  const Guard guard("cross_site_guard: off");
  FilterProbe probe(Method::kPost);
  EXPECT_EQ(status(guard, probe.with("Sec-Fetch-Site", "cross-site")), 200);
  EXPECT_TRUE(probe.exchange.note.empty());
}

TEST(CrossSiteGuardConfiguration, RefusesToGuardNothing) {
  EXPECT_NE(mistakes_in("cross_site_guard: { allow_origins: ['*'] }", CrossSiteGuard::section()).find("guard nothing"),
            std::string::npos);
  EXPECT_NE(
      mistakes_in("cross_site_guard: { exempt: [webhooks] }", CrossSiteGuard::section()).find("must begin with /"),
      std::string::npos);
}

}  // namespace
}  // namespace gatehouse
