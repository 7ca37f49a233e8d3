#include "filters/rate_policy.hpp"

#include "config/load.hpp"
#include "config/mistake.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

LoadResult load(const std::string& limits) {
  const Section sections[] = {rate_limits_section()};
  return load_config("upstream: http://127.0.0.1:8000\n" + limits, "g.yaml", sections, {});
}

std::string all_of(const LoadResult& loaded) {
  std::string text;
  for (const Mistake& mistake : loaded.mistakes()) text += to_string(mistake) + "\n";
  return text;
}

std::vector<RatePolicy> policies(const std::string& limits, std::optional<std::size_t> route = std::nullopt) {
  auto loaded = load(limits);
  EXPECT_TRUE(loaded) << all_of(loaded);
  if (!loaded) return {RatePolicy{}};
  Mistakes mistakes("g.yaml");
  auto options = section(*loaded, "rate_limits", mistakes, route);
  return read_rate_policies(options);
}

std::string mistakes(const std::string& policy) { return all_of(load("rate_limits:\n  - " + policy + "\n")); }

TEST(RatePolicy, NeedsLittle) {
  const auto read = policies("rate_limits: [{ name: per-client, quota: 100, window: 1s }]\n");
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].name, "per-client");
  EXPECT_EQ(read[0].quota, 100U);
  EXPECT_EQ(read[0].window, 1s);
  EXPECT_EQ(read[0].burst, 100U);
  EXPECT_EQ(read[0].cost, 1U);
  EXPECT_EQ(read[0].key, RateKeySpec{});
  EXPECT_EQ(read[0].fields, RateFields::kIetf);
  EXPECT_EQ(read[0].max_keys, 100000U);
  EXPECT_FALSE(read[0].shadow);
  EXPECT_FALSE(read[0].counts_failures());
}

TEST(RatePolicy, ReadsEverySetting) {
  const auto read = policies(R"(
rate_limits:
  - name: login
    keys: [client_address, "cookie:sid"]
    quota: 5
    window: 1m
    burst: 7
    cost: 2
    methods: [POST]
    exempt: { addresses: [10.0.0.0/8], paths: [/livez, /static/*] }
    shadow: true
    headers: both
    ipv4_prefix: 24
    ipv6_prefix: 56
    max_keys: 1000
    count_statuses: [401, 403-404]
    lockout: { base: 30s, max: 10m }
    clear_on_success: false
)");
  ASSERT_EQ(read.size(), 1U);
  const RatePolicy& login = read[0];
  EXPECT_EQ(login.key.parts,
            (std::vector<RateKeyPart>{{RateKeyPart::Kind::kClientAddress, ""}, {RateKeyPart::Kind::kCookie, "sid"}}));
  EXPECT_EQ(login.key.ipv4_prefix, 24U);
  EXPECT_EQ(login.key.ipv6_prefix, 56U);
  EXPECT_EQ(login.burst, 7U);
  EXPECT_EQ(login.cost, 2U);
  EXPECT_EQ(login.methods, std::vector<std::string>{"POST"});
  EXPECT_TRUE(login.exempt_addresses.contains(IpAddress::v4(0x0a010203)));
  EXPECT_EQ(login.exempt_paths, (std::vector<std::string>{"/livez", "/static/*"}));
  EXPECT_TRUE(login.shadow);
  EXPECT_EQ(login.fields, RateFields::kBoth);
  EXPECT_EQ(login.max_keys, 1000U);
  EXPECT_TRUE(login.counts(401) && login.counts(403) && login.counts(404));
  EXPECT_FALSE(login.counts(400) || login.counts(402) || login.counts(200));
  EXPECT_EQ(login.lockout, (RateLockout{30s, 10min}));
  EXPECT_FALSE(login.clear_on_success);
}

TEST(RatePolicy, CountsMayBeInRedis) {
  const auto read = policies(
      "rate_limits: [{ name: a, quota: 1, window: 1s, store: { type: redis, url: \"rediss://:p@cache/2\", timeout: "
      "20ms, on_error: deny } }]\n");
  ASSERT_TRUE(read[0].store);
  EXPECT_EQ(read[0].store->address, parse_redis_url("rediss://:p@cache/2"));
  EXPECT_EQ(read[0].store->timeout, 20ms);
  EXPECT_EQ(read[0].store->on_error, RateStore::OnError::kDeny);
  EXPECT_FALSE(policies("rate_limits: [{ name: a, quota: 1, window: 1s, store: local }]\n")[0].store);
}

TEST(RatePolicy, MistakesAboutTheStoreDoNotRepeatTheUrl) {
  const std::string start = "{ name: a, quota: 10, window: 1s, store: ";
  EXPECT_EQ(mistakes(start + "redis }"), "g.yaml:3:46: rate_limits[0].store.url: is needed with type redis\n");
  EXPECT_EQ(mistakes(start + "{ url: \"redis://cache\" } }"),
            "g.yaml:3:46: rate_limits[0].store.type: is local, but a url is given; write redis\n");
  const auto wrong = mistakes(start + "{ type: redis, url: \"http://user:hunter2@cache\" } }");
  EXPECT_NE(wrong.find("rate_limits[0].store.url:"), std::string::npos) << wrong;
  EXPECT_EQ(wrong.find("hunter2"), std::string::npos) << wrong;
  EXPECT_NE(
      mistakes(start + "{ type: redis, url: \"redis://cache\" }, count_statuses: [401] }").find("leave out store"),
      std::string::npos);
}

TEST(RatePolicy, ARouteHasItsOwn) {
  const std::string text =
      "rate_limits: [{ name: a, quota: 1, window: 1s }]\n"
      "routes: [{ match: { path: /login }, rate_limits: [{ name: b, quota: 2, window: 1m }] }]\n";
  EXPECT_EQ(policies(text)[0].name, "a");
  EXPECT_EQ(policies(text, 0)[0].name, "b");
}

TEST(RatePolicy, OneKeyIsAText) {
  const auto read = policies("rate_limits: [{ name: a, quota: 1, window: 1s, key: \"header:X-Api-Key\" }]\n");
  EXPECT_EQ(read[0].key.parts, (std::vector<RateKeyPart>{{RateKeyPart::Kind::kHeader, "X-Api-Key"}}));
}

TEST(RatePolicy, MistakesSayWhatToChange) {
  const std::string start = "{ name: a, quota: 10, window: 1s";
  EXPECT_EQ(mistakes("{ name: a, quota: 10 }"), "g.yaml:3:5: rate_limits[0].window: is missing; it must be given\n");
  EXPECT_EQ(mistakes(start + ", key: address }"),
            "g.yaml:3:44: rate_limits[0].key: \"address\" is not client_address, route, header:NAME, cookie:NAME or "
            "query:NAME\n");
  EXPECT_EQ(mistakes(start + ", keys: [route, \"header:a b\"] }").substr(0, 36),
            "g.yaml:3:53: rate_limits[0].keys[1]:");
  EXPECT_EQ(mistakes(start + ", key: route, keys: [route] }"),
            "g.yaml:3:57: rate_limits[0].keys: stands in place of key: give one of the two\n");
  EXPECT_EQ(mistakes(start + ", cost: 11 }"),
            "g.yaml:3:45: rate_limits[0].cost: is more than the burst, so that no request could ever pass\n");
  EXPECT_EQ(mistakes("{ name: a, quota: 1, window: 1d, burst: 1000 }"),
            "g.yaml:3:45: rate_limits[0].burst: takes more than a year to come back at this rate; lower it\n");
  EXPECT_EQ(mistakes(start + ", lockout: { base: 1m } }"),
            "g.yaml:3:48: rate_limits[0].lockout: needs count_statuses: which answers are failures\n");
  EXPECT_EQ(mistakes(start + ", count_statuses: [401], lockout: { base: 2h } }"),
            "g.yaml:3:71: rate_limits[0].lockout.max: is shorter than base\n");
  EXPECT_EQ(mistakes("{ name: a, quota: 1, window: 1m, count_statuses: [401], lockout: { base: 1s } }"),
            "g.yaml:3:78: rate_limits[0].lockout.base: is shorter than the time after which a failure is forgotten "
            "anyway (window "
            "divided by quota)\n");
  EXPECT_EQ(mistakes(start + ", exempt: { paths: [\"/items/{id}\"] } }"),
            "g.yaml:3:57: rate_limits[0].exempt.paths[0]: \"/items/{id}\" must be a path such as /livez, or end in /* "
            "for everything below\n");
  EXPECT_EQ(mistakes(start + " }\n  - { name: a, quota: 1, window: 1s }"),
            "g.yaml:4:13: rate_limits[1].name: is the name of another policy in this list\n");
}

TEST(RatePolicy, TheExampleLoads) {
  const Section sections[] = {rate_limits_section()};
  auto loaded = load_config_file(GATEHOUSE_SOURCE_DIR "/config/filters/rate_limits.yaml", sections, {});
  ASSERT_TRUE(loaded) << all_of(loaded);
  Mistakes mistakes("rate_limits.yaml");
  auto options = section(*loaded, "rate_limits", mistakes);
  EXPECT_EQ(read_rate_policies(options).size(), 4U);
}

TEST(RatePolicy, AnotherMeaningOfTheCountIsAnotherDefinition) {
  RatePolicy policy;
  policy.name = "a";
  policy.quota = 10;
  policy.window = 1s;
  const auto base = policy.definition();
  auto changed = policy;
  changed.methods = {"POST"};
  changed.shadow = true;
  EXPECT_EQ(changed.definition(), base);
  const auto differs = [&](auto change) {
    changed = policy;
    change(changed);
    return changed.definition() != base;
  };
  EXPECT_TRUE(differs([](RatePolicy& p) { p.quota = 11; }));
  EXPECT_TRUE(differs([](RatePolicy& p) { p.window = 2s; }));
  EXPECT_TRUE(differs([](RatePolicy& p) { p.burst = 20; }));
  EXPECT_TRUE(differs([](RatePolicy& p) { p.key.parts = {{RateKeyPart::Kind::kRoute, ""}}; }));
  EXPECT_TRUE(differs([](RatePolicy& p) { p.key.ipv6_prefix = 48; }));
  EXPECT_TRUE(differs([](RatePolicy& p) { p.count_statuses = {{401, 401}}; }));
  EXPECT_TRUE(differs([](RatePolicy& p) { p.lockout = {1s, 2s}; }));
}

}  // namespace
}  // namespace gatehouse
