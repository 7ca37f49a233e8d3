#include "filters/cors_origin.hpp"
#include "support/filter_probe.hpp"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

OriginSet set_of(std::initializer_list<std::string_view> entries) {
  OriginSet set;
  for (const auto entry : entries) EXPECT_EQ(set.add(entry), std::nullopt) << entry;
  return set;
}

TEST(OriginSet, TakesAnExactOriginAndNoLookAlike) {
  const OriginSet set = set_of({"https://app.example.com"});
  EXPECT_TRUE(set.contains("https://app.example.com"));
  for (const std::string_view other : {"",
                                       "https://",
                                       "http://app.example.com",
                                       "https://app.example.com:443",
                                       "https://app.example.com:8443",
                                       "https://app.example.com/",
                                       "https://app.example.com.",
                                       "https://app.example.com.evil.example",
                                       "https://xapp.example.com",
                                       "https://app-example.com",
                                       "https://appxexample.com",
                                       "https://APP.example.com",
                                       "HTTPS://app.example.com",
                                       " https://app.example.com",
                                       "https://app.example.com ",
                                       "https://app.example.com,https://evil.example",
                                       "https://app.example.com@evil.example",
                                       "https://evil.example#https://app.example.com",
                                       "null",
                                       "*",
                                       "https://app.example.com%60.evil.example"})
    EXPECT_FALSE(set.contains(other)) << other;
  EXPECT_FALSE(set.contains(std::string_view("https://app.example.com\0", 24)));
}

TEST(OriginSet, BringsEntriesIntoTheFormThatBrowsersSend) {
  const struct {
    std::string_view entry, sent;
  } cases[] = {
      {"HTTPS://App.Example.COM", "https://app.example.com"},
      {"https://app.example.com:443", "https://app.example.com"},
      {"http://app.example.com:80", "http://app.example.com"},
      {"http://app.example.com:443", "http://app.example.com:443"},
      {"https://xn--bcher-kva.example", "https://xn--bcher-kva.example"},
      {"http://127.0.0.1:3000", "http://127.0.0.1:3000"},
      {"http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000"},
      {"http://[2001:DB8::0:1]", "http://[2001:db8::1]"},
      {"http://localhost:5173", "http://localhost:5173"},
      {"capacitor://localhost", "capacitor://localhost"},
      {"chrome-extension://abcdefghijklmnopabcdefghijklmnop", "chrome-extension://abcdefghijklmnopabcdefghijklmnop"},
  };
  for (const auto& each : cases) EXPECT_TRUE(set_of({each.entry}).contains(each.sent)) << each.entry;
}

TEST(OriginSet, TakesSubdomainsOfOneOrMoreLabels) {
  const OriginSet set = set_of({"https://*.example.com"});
  for (const std::string_view origin : {"https://a.example.com", "https://a.b.example.com",
                                        "https://xn--bcher-kva.example.com", "https://a-1.b_2.example.com"})
    EXPECT_TRUE(set.contains(origin)) << origin;
  for (const std::string_view origin :
       {"https://example.com", "https://.example.com", "https://a..example.com", "https://evil-example.com",
        "https://evilexample.com", "http://a.example.com", "https://a.example.com:8443",
        "https://a.example.com.evil.example", "https://evil.example/.example.com",
        "https://evil.example:80.example.com", "https://evil@a.example.com", "https://a.EXAMPLE.com",
        "https://A.example.com", "https://a.example.comm", "https://a.example.co", "https://*.example.com",
        "https://evil.example#.example.com"})
    EXPECT_FALSE(set.contains(origin)) << origin;
  const OriginSet with_port = set_of({"https://*.example.com:8443"});
  EXPECT_TRUE(with_port.contains("https://a.example.com:8443"));
  EXPECT_FALSE(with_port.contains("https://a.example.com"));
  EXPECT_FALSE(with_port.contains("https://a.example.com:18443"));
}

TEST(OriginSet, TakesAnyPortWhereTheEntrySaysSo) {
  const OriginSet set = set_of({"http://localhost:*"});
  for (const std::string_view origin : {"http://localhost", "http://localhost:3000", "http://localhost:65535"})
    EXPECT_TRUE(set.contains(origin)) << origin;
  for (const std::string_view origin :
       {"https://localhost:3000", "http://localhost:", "http://localhost:0", "http://localhost:65536",
        "http://localhost:03000", "http://localhost:3000x", "http://xlocalhost:3000",
        "http://localhost.evil.example:3000", "http://localhost:30:00", "http://evil.example:localhost"})
    EXPECT_FALSE(set.contains(origin)) << origin;
  EXPECT_TRUE(set_of({"http://[::1]:*"}).contains("http://[::1]:81"));
  EXPECT_TRUE(set_of({"https://*.example.com:*"}).contains("https://a.example.com:444"));
  EXPECT_FALSE(set_of({"https://*.example.com:*"}).contains("https://a.evil.com:444"));
}

TEST(OriginSet, MatchesPatternsAsAWhole) {
  const OriginSet set = set_of({R"(~https://pr-[0-9]+\.example\.com)"});
  EXPECT_TRUE(set.contains("https://pr-17.example.com"));
  for (const std::string_view origin :
       {"https://pr-17.example.com.evil.example", "xhttps://pr-17.example.com", "https://pr-.example.com",
        "https://pr-1.example.com\n", "https://PR-1.example.com", "null"})
    EXPECT_FALSE(set.contains(origin)) << origin;
  EXPECT_TRUE(set_of({R"(~^https://(a|b)\.example$)"}).contains("https://b.example"));
}

TEST(OriginSet, AsksNoPatternAboutTextsLongerThanAnyOrigin) {
  const OriginSet set = set_of({R"(~https://[a-z]+\.example)"});
  EXPECT_TRUE(set.contains("https://" + std::string(200, 'a') + ".example"));
  EXPECT_FALSE(set.contains("https://" + std::string(2000, 'a') + ".example"));
}

TEST(OriginSet, TakesNullOnlyWhereItIsNamed) {
  EXPECT_TRUE(set_of({"null"}).contains("null"));
  EXPECT_FALSE(set_of({"null"}).contains("NULL"));
  EXPECT_FALSE(set_of({"~.+", "https://a.example"}).contains("null"));
  EXPECT_FALSE(set_of({"*"}).contains("null"));
}

TEST(OriginSet, SaysWhatIsWrongWithAnEntry) {
  const struct {
    std::string_view entry, problem;
  } cases[] = {
      {"app.example.com", "must begin with a scheme"},
      {"//app.example.com", "must begin with a scheme"},
      {"://app.example.com", "must begin with a scheme"},
      {"1x://app.example.com", "must begin with a scheme"},
      {"https://app.example.com/", "no / at the end"},
      {"https://app.example.com/path", "no / at the end"},
      {"https://user@app.example.com", "scheme, host and port alone"},
      {"https://app.example.com?x", "scheme, host and port alone"},
      {"https://", "no host"},
      {"https://:443", "no host"},
      {"https://b\xc3\xbc"
       "cher.example",
       "xn--"},
      {"https://a..example", "no valid host name"},
      {"https://a.example.", "no valid host name"},
      {"https://a b.example", "no valid host name"},
      {"https://a.example:", "no valid port"},
      {"https://a.example:0", "no valid port"},
      {"https://a.example:70000", "no valid port"},
      {"https://a.example:x", "no valid port"},
      {"https://a.*.example", "may hold * only"},
      {"https://a*.example.com", "may hold * only"},
      {"https://*", "may hold * only"},
      {"https://*.com", "at least two labels"},
      {"https://*.127.0.0.1", "in front of an address"},
      {"https://300.0.0.1", "no IPv4 address"},
      {"https://0x7f.1", "no IPv4 address"},
      {"https://[::1", "no valid IPv6"},
      {"https://[127.0.0.1]", "no valid IPv6"},
      {"file://", "have the origin null"},
      {"~", "RE2"},
      {"~(", "RE2"},
      {"~https://(?=x)", "RE2"},
      {"~https://app.example.com", "matches any character"},
  };
  for (const auto& each : cases) {
    const auto problem = OriginSet().add(each.entry);
    ASSERT_TRUE(problem) << each.entry;
    EXPECT_NE(problem->find(each.problem), std::string::npos) << each.entry << ": " << *problem;
  }
}

TEST(OriginSet, KnowsThatAPatternTakesStrangers) {
  EXPECT_TRUE(set_of({"~.*"}).matches_strangers());
  EXPECT_TRUE(set_of({"~https://.*"}).matches_strangers());
  EXPECT_TRUE(set_of({R"(~https://[^/]+\.com)"}).matches_strangers());
  EXPECT_FALSE(set_of({R"(~https://[^/]+\.example\.com)", "https://*.example.com", "null"}).matches_strangers());
}

TEST(OwnOrigin, IsTheHostThatTheRequestNames) {
  const struct {
    std::string_view host, origin;
    bool over_tls, is_own;
  } cases[] = {
      {"api.example.com", "https://api.example.com", true, true},
      {"API.example.com:443", "https://api.example.com", true, true},
      {"api.example.com", "http://api.example.com", true, false},
      {"api.example.com", "https://api.example.com", false, true},  // TLS may end in front of this
      {"api.example.com", "http://api.example.com", false, true},
      {"api.example.com:8080", "http://api.example.com:8080", false, true},
      {"api.example.com:8080", "http://api.example.com", false, false},
      {"api.example.com", "https://evil.example", true, false},
      {"api.example.com", "https://api.example.com.evil.example", true, false},
      {"[::1]:8080", "http://[::1]:8080", false, true},
      {"", "https://", true, false},
      {"api.example.com", "null", true, false},
      {"api.example.com", "chrome-extension://api.example.com", false, false},
  };
  for (const auto& each : cases) {
    test::FilterProbe probe;
    if (each.over_tls) probe.over_tls();
    probe.host(each.host);
    EXPECT_EQ(is_own_origin(probe.exchange, each.origin), each.is_own) << each.host << " " << each.origin;
  }
}

TEST(OwnOrigin, IsTakenFromXForwardedHostOfATrustedPeerAlone) {
  test::FilterProbe probe;
  probe.host("10.0.0.1:8000").with("X-Forwarded-Host", "evil.example, shop.example");
  EXPECT_FALSE(is_own_origin(probe.exchange, "https://shop.example"));
  probe.exchange.peer_trusted = true;
  EXPECT_TRUE(is_own_origin(probe.exchange, "https://shop.example"));
  EXPECT_FALSE(is_own_origin(probe.exchange, "https://evil.example"));
}

}  // namespace
}  // namespace gatehouse
