#include "filters/cors.hpp"
#include "support/filter_probe.hpp"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using test::all;
using test::Fields;
using test::FilterProbe;
using test::mistakes_in;
using test::one;

constexpr std::string_view kApp = "https://app.example.com";
constexpr std::string_view kEvil = "https://evil.example";

struct Policy {
  explicit Policy(std::string_view yaml) : cors(test::read_section(yaml, Cors::section(), Cors::read), counters) {}
  CorsCounters counters;
  Cors cors;
};

struct Preflight : FilterProbe {
  Preflight(std::string_view origin, std::string_view method, std::string_view headers = {})
      : FilterProbe(Method::kOptions, "/items") {
    with("Origin", origin).with("Access-Control-Request-Method", method);
    if (!headers.empty()) with("Access-Control-Request-Headers", headers);
  }
};

TEST(Cors, NamesAListedOriginToItsPagesAndVariesByIt) {
  const Policy policy("cors: { allow_origins: [https://app.example.com] }");
  FilterProbe probe;
  const Response response = probe.with("Origin", kApp).answer(policy.cors);
  EXPECT_EQ(one(response, "access-control-allow-origin"), kApp);
  EXPECT_EQ(one(response, "vary"), "Origin");
  EXPECT_EQ(one(response, "access-control-allow-credentials"), "(absent)");
  EXPECT_NE(one(response, "access-control-expose-headers").find("Retry-After"), std::string::npos);
}

TEST(Cors, SaysNothingToAnUnlistedOriginButStillVaries) {
  const Policy policy("cors: { allow_origins: [https://app.example.com] }");
  FilterProbe probe;
  const Response response = probe.with("Origin", kEvil).answer(policy.cors);
  EXPECT_EQ(one(response, "access-control-allow-origin"), "(absent)");
  EXPECT_EQ(one(response, "access-control-expose-headers"), "(absent)");
  EXPECT_EQ(one(response, "vary"), "Origin");
  EXPECT_EQ(probe.exchange.note, "cors_origin_denied");
  EXPECT_EQ(policy.counters.origins_refused.get(), 1u);
}

TEST(Cors, VariesAlsoWhereTheRequestNamesNoOrigin) {
  const Policy policy("cors: { allow_origins: [https://app.example.com] }");
  FilterProbe probe;
  const Response response = probe.answer(policy.cors);
  EXPECT_EQ(one(response, "vary"), "Origin");
  EXPECT_EQ(one(response, "access-control-allow-origin"), "(absent)");
}

TEST(Cors, TellsEveryoneTheSameWhereEveryOriginIsAllowed) {
  const Policy policy("cors: { allow_origins: ['*'] }");
  for (const std::string_view origin : {"", "https://anyone.example", "null"}) {
    FilterProbe probe;
    if (!origin.empty()) probe.with("Origin", origin);
    const Response response = probe.answer(policy.cors, {{"Vary", "Accept"}});
    EXPECT_EQ(one(response, "access-control-allow-origin"), "*");
    EXPECT_EQ(one(response, "vary"), "Accept");
  }
}

TEST(Cors, SendsCredentialsOnlyToNamedOrigins) {
  const Policy policy("cors: { allow_origins: [https://app.example.com], allow_credentials: true }");
  FilterProbe named;
  EXPECT_EQ(one(named.with("Origin", kApp).answer(policy.cors), "access-control-allow-credentials"), "true");
  FilterProbe unnamed;
  EXPECT_EQ(one(unnamed.with("Origin", kEvil).answer(policy.cors), "access-control-allow-credentials"), "(absent)");
}

TEST(Cors, DecoratesRefusalsFromFurtherIn) {
  const Policy policy("cors: { allow_origins: [https://app.example.com], allow_credentials: true }");
  for (const int status : {400, 401, 403, 413, 429, 502, 503, 504}) {
    FilterProbe probe(Method::kPost);
    const Response response = probe.with("Origin", kApp).refusal(policy.cors, status);
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(one(response, "access-control-allow-origin"), kApp);
    EXPECT_EQ(one(response, "access-control-allow-credentials"), "true");
    EXPECT_EQ(one(response, "vary"), "Origin");
  }
}

TEST(Cors, NamesTheOnlyOriginWhereTheHeadOfTheRequestWasNeverRead) {
  const Policy one_origin("cors: { allow_origins: [https://app.example.com] }");
  FilterProbe unread;
  EXPECT_EQ(one(unread.refusal(one_origin.cors, 431), "access-control-allow-origin"), kApp);
  const Policy two_origins("cors: { allow_origins: [https://app.example.com, https://b.example] }");
  FilterProbe unread_too;
  EXPECT_EQ(one(unread_too.refusal(two_origins.cors, 431), "access-control-allow-origin"), "(absent)");
}

TEST(Cors, ReplacesWhatTheAppSays) {
  const Policy policy("cors: { allow_origins: [https://app.example.com] }");
  FilterProbe probe;
  const Response response = probe.with("Origin", kApp)
                                .answer(policy.cors, {{"Access-Control-Allow-Origin", "*"},
                                                      {"access-control-allow-origin", "https://other.example"},
                                                      {"Access-Control-Allow-Credentials", "true"},
                                                      {"ACCESS-CONTROL-EXPOSE-HEADERS", "X-Secret"},
                                                      {"Access-Control-Max-Age", "86400"}});
  EXPECT_EQ(one(response, "access-control-allow-origin"), kApp);
  EXPECT_EQ(one(response, "access-control-allow-credentials"), "(absent)");
  EXPECT_EQ(one(response, "access-control-max-age"), "(absent)");
  EXPECT_EQ(one(response, "access-control-expose-headers").find("X-Secret"), std::string::npos);
  EXPECT_EQ(policy.counters.app_answers_replaced.get(), 1u);
  EXPECT_EQ(policy.counters.app_disagreements.get(), 1u);
}

TEST(Cors, TakesTheWordOfTheAppFromUnlistedOriginsToo) {
  const Policy policy("cors: { allow_origins: [https://app.example.com] }");
  FilterProbe probe;
  const Response response =
      probe.with("Origin", kEvil)
          .answer(policy.cors, {{"Access-Control-Allow-Origin", kEvil}, {"Access-Control-Allow-Credentials", "true"}});
  EXPECT_EQ(one(response, "access-control-allow-origin"), "(absent)");
  EXPECT_EQ(one(response, "access-control-allow-credentials"), "(absent)");
}

TEST(Cors, CountsNoDisagreementWhereTheAppSaysTheSame) {
  const Policy policy("cors: { allow_origins: [https://app.example.com] }");
  FilterProbe probe;
  probe.with("Origin", kApp).answer(policy.cors, {{"Access-Control-Allow-Origin", kApp}});
  EXPECT_EQ(policy.counters.app_answers_replaced.get(), 1u);
  EXPECT_EQ(policy.counters.app_disagreements.get(), 0u);
}

TEST(Cors, MergesVaryWithThatOfTheApp) {
  const Policy policy("cors: { allow_origins: [https://app.example.com] }");
  const struct {
    Fields said;
    std::string_view expected;
  } cases[] = {
      {{{"Vary", "Accept-Encoding"}}, "Accept-Encoding, Origin"},
      {{{"Vary", "Accept, Cookie"}, {"vary", "Accept-Language"}}, "Accept, Cookie, Accept-Language, Origin"},
      {{{"Vary", "origin"}}, "origin"},
      {{{"Vary", "Accept,Origin"}}, "Accept,Origin"},
      {{{"Vary", "X-Origin"}}, "X-Origin, Origin"},
      {{{"Vary", "*"}}, "*"},
      {{{"Vary", ""}}, "Origin"},
      {{{"Vary", " , "}}, ",, Origin"},
  };
  for (const auto& each : cases) {
    FilterProbe probe;
    EXPECT_EQ(one(probe.with("Origin", kApp).answer(policy.cors, each.said), "vary"), each.expected);
  }
}

TEST(Cors, AnswersAPreflightItself) {
  const Policy policy("cors: { allow_origins: [https://app.example.com], allow_credentials: true, max_age: 1h }");
  Preflight probe(kApp, "PUT", "authorization,content-type");
  const auto response = policy.cors.on_request(probe.exchange);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 204);
  EXPECT_TRUE(response->body.empty());
  EXPECT_EQ(one(*response, "access-control-allow-origin"), kApp);
  EXPECT_EQ(one(*response, "access-control-allow-credentials"), "true");
  EXPECT_EQ(one(*response, "access-control-allow-methods"), "GET, HEAD, POST, PUT, PATCH, DELETE");
  EXPECT_NE(one(*response, "access-control-allow-headers").find("Authorization, Content-Type"), std::string::npos);
  EXPECT_EQ(one(*response, "access-control-max-age"), "3600");
  EXPECT_EQ(one(*response, "vary"), "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  EXPECT_TRUE(probe.exchange.outcome().sidecar);
  EXPECT_EQ(probe.exchange.outcome().reason, "cors_preflight");
  EXPECT_EQ(policy.counters.preflights_answered.get(), 1u);
}

TEST(Cors, DoesNotForwardThePreflightOfAnUnlistedOrigin) {
  const Policy policy("cors: { allow_origins: [https://app.example.com] }");
  Preflight probe(kEvil, "PUT");
  const auto response = policy.cors.on_request(probe.exchange);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 403);
  EXPECT_EQ(one(*response, "access-control-allow-origin"), "(absent)");
  EXPECT_EQ(one(*response, "access-control-allow-methods"), "(absent)");
  EXPECT_EQ(one(*response, "vary"), "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  EXPECT_EQ(probe.exchange.outcome().reason, "cors_origin_denied");
  EXPECT_EQ(response->body.ready.find("evil"), std::string_view::npos);
}

TEST(Cors, TellsAListedOriginWhichMethodOrHeaderIsMissing) {
  const Policy policy(
      "cors: { allow_origins: [https://app.example.com], allow_methods: [GET, PUT], allow_headers: [X-A] }");
  const struct {
    std::string_view method, headers, reason;
  } cases[] = {
      {"PUT", "x-a", "cors_preflight"},         {"PUT", "", "cors_preflight"},
      {"POST", "x-a", "cors_preflight"},  // safelisted: browsers take it for allowed
      {"DELETE", "x-a", "cors_method_denied"},  {"put", "x-a", "cors_method_denied"},  // methods are told apart by case
      {"PUT", "x-a,x-b", "cors_header_denied"}, {"PUT", "x-a, X-A ,,x-a", "cors_preflight"},
      {"PUT", "x-a\"", "cors_header_denied"},
  };
  for (const auto& each : cases) {
    Preflight probe(kApp, each.method, each.headers);
    const auto response = policy.cors.on_request(probe.exchange);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 204);
    EXPECT_EQ(probe.exchange.outcome().reason, each.reason) << each.method << " " << each.headers;
    EXPECT_EQ(one(*response, "access-control-allow-origin"), kApp);
    EXPECT_EQ(one(*response, "access-control-allow-methods"), "GET, PUT");
    EXPECT_EQ(one(*response, "access-control-allow-headers"), each.headers.empty() ? "(absent)" : "X-A");
  }
}

TEST(Cors, RepeatsWhatAPreflightAsksForWhereEverythingIsAllowed) {
  const Policy policy(
      "cors: { allow_origins: [https://app.example.com], allow_methods: ['*'], allow_headers: ['*'], "
      "allow_credentials: true }");
  Preflight probe(kApp, "PURGE", "authorization,x-anything");
  const auto response = policy.cors.on_request(probe.exchange);
  ASSERT_TRUE(response);
  EXPECT_EQ(one(*response, "access-control-allow-methods"), "PURGE");
  EXPECT_EQ(one(*response, "access-control-allow-headers"), "authorization,x-anything");
  Preflight strange(kApp, "PURGE", "x-a, b c");
  const auto refused = policy.cors.on_request(strange.exchange);
  ASSERT_TRUE(refused);
  EXPECT_EQ(one(*refused, "access-control-allow-headers"), "*");
  EXPECT_EQ(strange.exchange.outcome().reason, "cors_header_denied");
}

TEST(Cors, BoundsWhatAPreflightMayAskFor) {
  const Policy policy("cors: { allow_origins: [https://app.example.com], allow_headers: ['*'] }");
  std::string many = "x-a";
  for (int i = 0; i < 64; ++i) many += ",x-a";
  Preflight probe(kApp, "PUT", many);
  ASSERT_TRUE(policy.cors.on_request(probe.exchange));
  EXPECT_EQ(probe.exchange.outcome().reason, "cors_header_denied");
}

TEST(Cors, LetsAPlainOptionsThroughToTheApp) {
  const Policy policy("cors: { allow_origins: [https://app.example.com] }");
  FilterProbe without_method(Method::kOptions);
  without_method.with("Origin", kApp);
  EXPECT_FALSE(policy.cors.on_request(without_method.exchange));
  FilterProbe without_origin(Method::kOptions);
  without_origin.with("Access-Control-Request-Method", "PUT");
  EXPECT_FALSE(policy.cors.on_request(without_origin.exchange));
  FilterProbe no_options(Method::kGet);
  no_options.with("Origin", kApp).with("Access-Control-Request-Method", "PUT");
  EXPECT_FALSE(policy.cors.on_request(no_options.exchange));
}

TEST(Cors, TakesSeveralOriginFieldsForNoOrigin) {
  const Policy policy("cors: { allow_origins: [https://app.example.com, https://b.example], block: true }");
  FilterProbe probe;
  const Response response = probe.with("Origin", kApp).with("Origin", kApp).answer(policy.cors);
  EXPECT_EQ(one(response, "access-control-allow-origin"), "(absent)");
  FilterProbe unsafe(Method::kPost);
  EXPECT_EQ(unsafe.with("Origin", kApp).with("Origin", kApp).answer(policy.cors).status, 403);
}

TEST(Cors, OpensPrivateNetworksOnlyWhereToldTo) {
  const Policy closed("cors: { allow_origins: [https://app.example.com] }");
  Preflight refused(kApp, "PUT");
  refused.with("Access-Control-Request-Private-Network", "true");
  const auto denied = closed.cors.on_request(refused.exchange);
  ASSERT_TRUE(denied);
  EXPECT_EQ(one(*denied, "access-control-allow-private-network"), "(absent)");
  EXPECT_EQ(refused.exchange.outcome().reason, "cors_private_network_denied");

  const Policy open("cors: { allow_origins: [https://app.example.com], private_network: true }");
  Preflight allowed(kApp, "PUT");
  allowed.with("Access-Control-Request-Private-Network", "true");
  const auto answer = open.cors.on_request(allowed.exchange);
  ASSERT_TRUE(answer);
  EXPECT_EQ(one(*answer, "access-control-allow-private-network"), "true");
  EXPECT_NE(one(*answer, "vary").find("Access-Control-Request-Private-Network"), std::string::npos);
}

TEST(Cors, KeepsWhatTheAppSaysWhereToldTo) {
  const Policy policy("cors: { allow_origins: [https://app.example.com], upstream: keep }");
  FilterProbe spoken;
  const Response kept =
      spoken.with("Origin", kEvil).answer(policy.cors, {{"Access-Control-Allow-Origin", kEvil}, {"Vary", "Origin"}});
  EXPECT_EQ(one(kept, "access-control-allow-origin"), kEvil);
  FilterProbe silent;
  const Response added = silent.with("Origin", kApp).answer(policy.cors, {{"Access-Control-Allow-Methods", "PUT"}});
  EXPECT_EQ(one(added, "access-control-allow-origin"), kApp);
  EXPECT_EQ(one(added, "access-control-allow-methods"), "(absent)");
  FilterProbe refused;
  EXPECT_EQ(one(refused.with("Origin", kApp).refusal(policy.cors, 429), "access-control-allow-origin"), kApp);
}

TEST(Cors, AsksTheAppAboutPreflightsFirstWhereItsWordIsKept) {
  const Policy policy("cors: { allow_origins: [https://app.example.com], upstream: keep }");
  Preflight spoken(kEvil, "PUT");
  EXPECT_FALSE(policy.cors.on_request(spoken.exchange));
  EXPECT_EQ(
      one(spoken.answer(policy.cors, {{"Access-Control-Allow-Origin", kEvil}}, 200), "access-control-allow-origin"),
      kEvil);
  Preflight silent(kApp, "PUT");
  const Response answer = silent.answer(policy.cors, {{"Allow", "GET"}}, 405);
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(one(answer, "access-control-allow-origin"), kApp);
  EXPECT_EQ(one(answer, "allow"), "(absent)");
  Preflight refused(kApp, "PUT");
  EXPECT_EQ(refused.refusal(policy.cors, 401).status, 204);
}

TEST(Cors, OnlyWatchesInShadowMode) {
  const Policy policy("cors: { allow_origins: [https://app.example.com], shadow: true, block: true }");
  Preflight asked(kEvil, "PUT");
  EXPECT_FALSE(policy.cors.on_request(asked.exchange));
  FilterProbe probe(Method::kPost);
  const Response response =
      probe.with("Origin", kEvil).answer(policy.cors, {{"Access-Control-Allow-Origin", "*"}, {"Vary", "Accept"}});
  EXPECT_EQ(one(response, "access-control-allow-origin"), "*");
  EXPECT_EQ(one(response, "vary"), "Accept");
  EXPECT_EQ(probe.exchange.note, "cors_origin_denied");
  EXPECT_FALSE(probe.exchange.outcome().sidecar);
  EXPECT_EQ(policy.counters.origins_refused.get(), 1u);
  EXPECT_EQ(policy.counters.requests_blocked.get(), 1u);
  EXPECT_EQ(policy.counters.app_disagreements.get(), 1u);
  asked.answer(policy.cors);
  EXPECT_EQ(policy.counters.preflights_refused.get(), 1u);
}

TEST(Cors, BlocksUnsafeRequestsOfUnlistedOriginsWhereToldTo) {
  const Policy policy("cors: { allow_origins: [https://app.example.com], block: true }");
  const struct {
    Method method;
    std::string_view origin;
    int status;
  } cases[] = {
      {Method::kPost, kEvil, 403},
      {Method::kDelete, kEvil, 403},
      {Method::kOther, kEvil, 403},
      {Method::kPost, "null", 403},
      {Method::kGet, kEvil, 200},
      {Method::kHead, kEvil, 200},
      {Method::kPost, kApp, 200},
      {Method::kPost, "", 200},
      {Method::kPost, "https://api.example.com", 200},  // its own pages
      {Method::kPost, "https://api.example.com:8443", 403},
  };
  for (const auto& each : cases) {
    FilterProbe probe(each.method);
    if (!each.origin.empty()) probe.with("Origin", each.origin);
    const Response response = probe.answer(policy.cors);
    EXPECT_EQ(response.status, each.status) << each.origin;
    EXPECT_EQ(one(response, "vary"), "Origin");
    EXPECT_EQ(probe.exchange.outcome().reason, each.status == 403 ? "cors_origin_blocked" : "via_upstream");
  }
}

TEST(Cors, CountsNoRefusalForPagesOfTheServiceItself) {
  const Policy policy("cors: { allow_origins: [https://app.example.com] }");
  FilterProbe probe(Method::kPost);
  probe.over_tls().with("Origin", "https://api.example.com").answer(policy.cors);
  EXPECT_EQ(policy.counters.origins_refused.get(), 0u);
  EXPECT_TRUE(probe.exchange.note.empty());
}

TEST(CorsConfiguration, RefusesCombinationsThatLetEveryoneIn) {
  const auto problems = [](std::string_view yaml) { return mistakes_in(yaml, Cors::section()); };
  EXPECT_NE(
      problems("cors: { allow_origins: ['*'], allow_credentials: true }").find("allow_origins[0]: \"*\" together"),
      std::string::npos);
  EXPECT_NE(problems("cors: { allow_origins: ['null'], allow_credentials: true }").find("sandboxed frame"),
            std::string::npos);
  EXPECT_NE(problems("cors: { allow_origins: ['~https://.*'], allow_credentials: true }").find("nobody named"),
            std::string::npos);
  EXPECT_NE(problems("cors: { allow_origins: ['*', 'https://a.example'] }").find("leave the others out"),
            std::string::npos);
  EXPECT_NE(problems("cors: { allow_origins: [https://a.example], expose_headers: ['*'], allow_credentials: true }")
                .find("name the headers"),
            std::string::npos);
  EXPECT_NE(problems("cors: { allow_credentials: true }").find("allow_origins"), std::string::npos);
  EXPECT_EQ(problems("cors: { allow_origins: ['*'] }"), "");
  EXPECT_EQ(problems("cors: { allow_origins: ['null'] }"), "");
}

TEST(CorsConfiguration, OfARouteRefinesThatOfTheWhole) {
  EXPECT_EQ(
      mistakes_in(
          "cors: { allow_origins: [https://a.example] }\nroutes: [{ match: { path: /x }, cors: { block: true } }]",
          Cors::section()),
      "");
  EXPECT_NE(mistakes_in("cors: { allow_origins: ['*'] }\nroutes: [{ match: { path: /x }, cors: { allow_origins: ['*'], "
                        "allow_credentials: true } }]",
                        Cors::section())
                .find("routes[0].cors.allow_origins[0]"),
            std::string::npos);
}

}  // namespace
}  // namespace gatehouse
