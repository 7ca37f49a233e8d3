#include "filters/cookie_hardening.hpp"

#include "support/filter_probe.hpp"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using test::all;
using test::FilterProbe;
using test::mistakes_in;
using test::one;

struct Hardened {
  explicit Hardened(std::string_view yaml)
      : filter(test::read_section(yaml, CookieHardening::section(), CookieHardening::read), counters) {}
  std::string over_tls(std::string_view cookie) const {
    FilterProbe probe;
    return one(probe.over_tls().answer(filter, {{"Set-Cookie", cookie}}), "set-cookie");
  }
  std::string in_the_clear(std::string_view cookie) const {
    FilterProbe probe;
    return one(probe.answer(filter, {{"Set-Cookie", cookie}}), "set-cookie");
  }
  mutable CookieCounters counters;
  CookieHardening filter;
};

TEST(CookieHardening, AddsWhatACookieLacks) {
  const Hardened settings("cookies: {}");
  EXPECT_EQ(settings.over_tls("sid=abc"), "sid=abc; Secure; HttpOnly; SameSite=Lax");
  EXPECT_EQ(settings.over_tls("sid=abc; Path=/; Max-Age=60"),
            "sid=abc; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax");
  EXPECT_EQ(settings.counters.hardened.get(), 2u);
}

TEST(CookieHardening, LeavesACookieThatHasEverythingAsItIs) {
  const Hardened settings("cookies: {}");
  for (const std::string_view cookie :
       {"sid=abc; Secure; HttpOnly; SameSite=Strict", "sid=abc;secure;HTTPONLY;samesite=none",
        "sid=abc; SameSite = Lax ;Secure=x; HttpOnly=no"})
    EXPECT_EQ(settings.over_tls(cookie), cookie);
  EXPECT_EQ(settings.counters.hardened.get(), 0u);
}

TEST(CookieHardening, ReadsCookiesAtSemicolonsOnly) {
  const Hardened settings("cookies: {}");
  const struct {
    std::string_view said, expected;
  } cases[] = {
      {"a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
       "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Secure; HttpOnly; SameSite=Lax"},
      {"a=1, b=2", "a=1, b=2; Secure; HttpOnly; SameSite=Lax"},
      {"a=\"x; Secure", "a=\"x; Secure; HttpOnly; SameSite=Lax"},
      {"a=Secure", "a=Secure; Secure; HttpOnly; SameSite=Lax"},
      {"Secure=1", "Secure=1; Secure; HttpOnly; SameSite=Lax"},
      {"a=HttpOnly; Path=/HttpOnly", "a=HttpOnly; Path=/HttpOnly; Secure; HttpOnly; SameSite=Lax"},
      {"a=1;", "a=1; Secure; HttpOnly; SameSite=Lax"},
      {"a=1; ; ", "a=1; Secure; HttpOnly; SameSite=Lax"},
      {"a=1;;Secure;", "a=1;;Secure; HttpOnly; SameSite=Lax"},
      {"", "; Secure; HttpOnly; SameSite=Lax"},
      {"novalue", "novalue; Secure; HttpOnly; SameSite=Lax"},
      {"=novalue", "=novalue; Secure; HttpOnly; SameSite=Lax"},
      {"a=1; SecureX; HttpOnly1", "a=1; SecureX; HttpOnly1; Secure; HttpOnly; SameSite=Lax"},
      {"a=1; SameSite", "a=1; SameSite; Secure; HttpOnly; SameSite=Lax"},
      {"a=1; SameSite=sometimes", "a=1; SameSite=sometimes; Secure; HttpOnly; SameSite=Lax"},
      {"a=1; SameSite=Lax; SameSite=sometimes",
       "a=1; SameSite=Lax; SameSite=sometimes; Secure; HttpOnly; SameSite=Lax"},
  };
  for (const auto& each : cases) EXPECT_EQ(settings.over_tls(each.said), each.expected);
}

TEST(CookieHardening, TreatsSeveralCookiesOneByOneAndInOrder) {
  const Hardened settings("cookies: {}");
  FilterProbe probe;
  const Response response =
      probe.over_tls().answer(settings.filter, {{"Set-Cookie", "a=1"},
                                                {"Content-Type", "text/html"},
                                                {"set-cookie", "b=2; Secure; HttpOnly; SameSite=Strict"},
                                                {"Set-Cookie", "c=3; HttpOnly"}});
  EXPECT_EQ(all(response, "set-cookie"),
            (std::vector<std::string>{"a=1; Secure; HttpOnly; SameSite=Lax", "b=2; Secure; HttpOnly; SameSite=Strict",
                                      "c=3; HttpOnly; Secure; SameSite=Lax"}));
  EXPECT_EQ(response.headers.begin()[1].name, "Content-Type");
}

TEST(CookieHardening, AddsSecureOnlyWhereTheClientUsesTls) {
  const Hardened settings("cookies: {}");
  EXPECT_EQ(settings.in_the_clear("sid=abc"), "sid=abc; HttpOnly; SameSite=Lax");
  EXPECT_EQ(settings.in_the_clear("__Host-sid=abc; Path=/"), "__Host-sid=abc; Path=/; HttpOnly; SameSite=Lax");
  EXPECT_EQ(settings.in_the_clear("sid=abc; Secure"), "sid=abc; Secure; HttpOnly; SameSite=Lax");
}

TEST(CookieHardening, GivesSecureToCookiesThatBrowsersRefuseWithoutIt) {
  const Hardened settings("cookies: { secure: false, http_only: false, same_site: off }");
  EXPECT_EQ(settings.over_tls("sid=1"), "sid=1");
  EXPECT_EQ(settings.over_tls("__Host-sid=1; Path=/"), "__Host-sid=1; Path=/; Secure");
  EXPECT_EQ(settings.over_tls("__secure-sid=1"), "__secure-sid=1; Secure");
  EXPECT_EQ(settings.over_tls("sid=1; SameSite=None"), "sid=1; SameSite=None; Secure");
  EXPECT_EQ(settings.over_tls("sid=1; Partitioned"), "sid=1; Partitioned; Secure");
}

TEST(CookieHardening, CountsCookiesForOtherSitesThatNoBrowserTakes) {
  const Hardened settings("cookies: {}");
  EXPECT_EQ(settings.in_the_clear("sid=1; SameSite=None"), "sid=1; SameSite=None; HttpOnly");
  EXPECT_EQ(settings.counters.cross_site.get(), 1u);
  settings.over_tls("sid=1; SameSite=None");
  EXPECT_EQ(settings.counters.cross_site.get(), 1u);
}

TEST(CookieHardening, AddsSameSiteNoneOnlyTogetherWithSecure) {
  const Hardened settings("cookies: { same_site: none }");
  EXPECT_EQ(settings.over_tls("sid=1"), "sid=1; Secure; HttpOnly; SameSite=None");
  EXPECT_EQ(settings.in_the_clear("sid=1"), "sid=1; HttpOnly");
  EXPECT_EQ(settings.in_the_clear("sid=1; Secure"), "sid=1; Secure; HttpOnly; SameSite=None");
}

TEST(CookieHardening, KeepsTheSameSiteOfTheApp) {
  const Hardened settings("cookies: { same_site: strict }");
  EXPECT_EQ(settings.over_tls("sid=1; SameSite=Lax"), "sid=1; SameSite=Lax; Secure; HttpOnly");
  EXPECT_EQ(settings.over_tls("sid=1"), "sid=1; Secure; HttpOnly; SameSite=Strict");
}

TEST(CookieHardening, LeavesCookiesReadableThatScriptsMustSendBack) {
  const Hardened settings("cookies: {}");
  EXPECT_EQ(settings.over_tls("csrftoken=1"), "csrftoken=1; Secure; SameSite=Lax");
  EXPECT_EQ(settings.over_tls("XSRF-TOKEN=1"), "XSRF-TOKEN=1; Secure; SameSite=Lax");
  EXPECT_EQ(settings.over_tls("xsrf-token=1"), "xsrf-token=1; Secure; HttpOnly; SameSite=Lax");
}

TEST(CookieHardening, MakesTheExceptionsThatAreNamed) {
  const Hardened settings(
      "cookies: { exceptions: [{ name: theme, http_only: false }, { name: embed_*, same_site: none }, "
      "{ name: csrftoken, http_only: true }, { name: legacy, secure: false, http_only: false, same_site: off }] }");
  EXPECT_EQ(settings.over_tls("theme=dark"), "theme=dark; Secure; SameSite=Lax");
  EXPECT_EQ(settings.over_tls("theme2=dark"), "theme2=dark; Secure; HttpOnly; SameSite=Lax");
  EXPECT_EQ(settings.over_tls("embed_x=1"), "embed_x=1; Secure; HttpOnly; SameSite=None");
  EXPECT_EQ(settings.over_tls("csrftoken=1"), "csrftoken=1; Secure; HttpOnly; SameSite=Lax");
  EXPECT_EQ(settings.over_tls("legacy=1"), "legacy=1");
  EXPECT_EQ(settings.over_tls(" theme =dark"), " theme =dark; Secure; SameSite=Lax");
}

TEST(CookieHardening, OnlyWatchesWhereToldTo) {
  const Hardened settings("cookies: { report_only: true }");
  FilterProbe probe;
  EXPECT_EQ(one(probe.over_tls().answer(settings.filter, {{"Set-Cookie", "sid=1"}}), "set-cookie"), "sid=1");
  EXPECT_EQ(probe.exchange.note, "cookie_unprotected");
  EXPECT_EQ(settings.counters.hardened.get(), 1u);
}

TEST(CookieHardeningConfiguration, SaysWhatCannotBe) {
  const auto problems = [](std::string_view yaml) { return mistakes_in(yaml, CookieHardening::section()); };
  EXPECT_NE(problems("cookies: { same_site: none, secure: false }").find("none needs secure"), std::string::npos);
  EXPECT_NE(problems("cookies: { exceptions: [{ http_only: false }] }").find("name"), std::string::npos);
  EXPECT_NE(problems("cookies: { exceptions: [{ name: 'a b' }] }").find("name of a cookie"), std::string::npos);
  EXPECT_NE(problems("cookies: { exceptions: [{ name: 'a*b' }] }").find("name of a cookie"), std::string::npos);
  EXPECT_EQ(problems("cookies: { exceptions: [{ name: 'a*' }] }"), "");
}

}  // namespace
}  // namespace gatehouse
