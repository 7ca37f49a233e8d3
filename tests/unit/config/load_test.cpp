#include "unit/config/support.hpp"

namespace gatehouse {
namespace {

TEST(LoadConfig, TakesOneLineAndFillsInTheDefaultsOfTheStructs) {
  LoadResult loaded = load(kSmallest);
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  const Config defaults;
  EXPECT_EQ(loaded->upstream.pools, (std::vector<UpstreamPool>{{"app", {{"127.0.0.1", 8000, {}}}}}));
  loaded->upstream.pools.clear();
  expect_equal(*loaded, defaults);
}

TEST(LoadConfig, ReadsSeveralAddressesOfOneApp) {
  LoadResult loaded = load("upstream: { urls: [http://10.0.0.5:8000, unix:/run/app.sock] }\n");
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  EXPECT_EQ(loaded->upstream.pools, (std::vector<UpstreamPool>{{"app", {{"10.0.0.5", 8000, {}}, {{}, 0, "/run/app.sock"}}}}));
  EXPECT_EQ(loaded->upstream.active, "app");
  EXPECT_FALSE(loaded->upstream.named);
}

TEST(LoadConfig, ReadsNamedPools) {
  LoadResult loaded = load(R"(
upstream:
  pools:
    - { name: blue, url: http://127.0.0.1:8001 }
    - { name: green, urls: [http://127.0.0.1:8002, http://app:8003] }
  active: green
  sticky: { cookie: side }
  retry: { budget: 0.5, minimum: 0 }
)");
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  const Upstream& upstream = loaded->upstream;
  EXPECT_EQ(upstream.pools, (std::vector<UpstreamPool>{{"blue", {{"127.0.0.1", 8001, {}}}}, {"green", {{"127.0.0.1", 8002, {}}, {"app", 8003, {}}}}}));
  EXPECT_TRUE(upstream.named);
  EXPECT_EQ(upstream.active, "green");
  EXPECT_EQ(upstream.sticky, Sticky{"side"});
  EXPECT_EQ(upstream.retry, (Retry{0.5, 0}));
}

TEST(LoadConfig, TakesTheOnlyPoolAsTheActiveOne) {
  LoadResult loaded = load("upstream: { pools: [{ name: blue, url: http://127.0.0.1:8001 }] }\n");
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  EXPECT_EQ(loaded->upstream.active, "blue");
}

TEST(LoadConfig, ReadsEveryPartOfAFullFile) {
  LoadResult loaded = load(R"(
listeners:
  - address: 0.0.0.0:8443
    tls: { self_signed: true, profile: modern }
  - address: "[::1]:8080"
    redirect_to_https: true
  - address: unix:/run/gatehouse.sock
    proxy_protocol: true
admin: { address: 127.0.0.1:9000 }
workers: 4
upstream: { url: "http://[::1]:8000", idle_timeout: 1500ms, health: { path: /healthz, interval: 1m30s, expect_status: 204 } }
limits: { body: 1MiB, header_count: 50 }
timeouts: { request_head: 5s, tunnel_idle: 1d }
header_names: { allow: [x_legacy] }
paths: { encoded_slash: keep, dot_segments: normalise, double_slash: merge }
trusted_proxies: [10.0.0.0/8, "::1"]
health: { path: "", token: abc, checks: [{ name: db, type: postgres, url: "postgresql+asyncpg://u:p@db/app" }] }
log: { level: off, format: text, access: { fields: full, sample: 0.25 }, redact: { names: [ssn], action: mask, client_addresses: truncate }, levels: { upstream: debug }, bodies: { max_size: 1KiB } }
routes:
  - match: { path: "/items/{id}", methods: [GET], host: App.Example.com }
    limits: { body: 1KiB }
    log: { bodies: { enabled: true } }
shutdown: { linger: 5s }
)");
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  ASSERT_EQ(loaded->listeners.size(), 3u);
  EXPECT_EQ(loaded->listeners[0].tls->profile, TlsProfile::kModern);
  EXPECT_EQ(loaded->listeners[1].address, (Address{"::1", 8080, {}}));
  EXPECT_TRUE(loaded->listeners[2].proxy_protocol);
  EXPECT_EQ(loaded->listeners[2].address.unix_path, "/run/gatehouse.sock");
  EXPECT_EQ(loaded->admin.address.port, 9000);
  EXPECT_EQ(loaded->workers, 4);
  EXPECT_EQ(loaded->upstream.idle_timeout, milliseconds{1500});
  EXPECT_EQ(loaded->upstream.health->probe.interval, seconds{90});
  EXPECT_EQ(loaded->upstream.health->expect_status, (std::vector<StatusRange>{{204, 204}}));
  EXPECT_EQ(loaded->limits.body, kMiB);
  EXPECT_EQ(loaded->limits.header_count, 50);
  EXPECT_EQ(loaded->timeouts.tunnel_idle, hours{24});
  EXPECT_EQ(loaded->header_names.allow, std::vector<std::string>{"x_legacy"});
  EXPECT_EQ(loaded->paths, (Paths{EncodedSlash::kKeep, DotSegments::kNormalise, DoubleSlash::kMerge}));
  EXPECT_EQ(loaded->trusted_proxies, (std::vector<std::string>{"10.0.0.0/8", "::1"}));
  EXPECT_EQ(loaded->health.token.reveal(), "abc");
  EXPECT_EQ(loaded->health.checks.at(0).type, CheckType::kPostgres);
  EXPECT_EQ(loaded->log.level, LogLevel::kOff);
  EXPECT_EQ(loaded->log.access.sample, 0.25);
  EXPECT_EQ(loaded->log.redact.action, RedactActionSetting::kMask);
  EXPECT_EQ(loaded->log.redact.client_addresses, ClientAddressesSetting::kTruncate);
  EXPECT_EQ(loaded->log.levels, (std::map<std::string, LogLevel>{{"upstream", LogLevel::kDebug}}));
  EXPECT_FALSE(loaded->log.bodies.enabled);
  EXPECT_EQ(loaded->routes.at(0).log_bodies.max_size, kKiB);
  EXPECT_TRUE(loaded->routes.at(0).log_bodies.enabled);
  ASSERT_EQ(loaded->routes.size(), 1u);
  EXPECT_EQ(loaded->routes[0].match.host, "app.example.com");
  EXPECT_EQ(loaded->routes[0].body_limit, kKiB);
  EXPECT_EQ(loaded->routes[0].first_byte_timeout, seconds{60});
  EXPECT_EQ(loaded->shutdown.linger, seconds{5});
}

TEST(LoadConfig, CollectsEveryMistakeInTheOrderOfTheFile) {
  const LoadResult loaded = load("upstream: { url: ftp://x, idel_timeout: 3 }\nworkers: many\nlisteners: []\n");
  EXPECT_EQ(all_mistakes(loaded),
            "gatehouse.yaml:1:18: upstream.url: \"ftp://x\" is not a URL: write http://127.0.0.1:8000 or "
            "unix:/run/app.sock\n"
            "gatehouse.yaml:1:27: upstream.idel_timeout: is not a known key; did you mean \"idle_timeout\"?\n"
            "gatehouse.yaml:2:10: workers: \"many\" is not a whole number in decimal digits; or write auto\n"
            "gatehouse.yaml:3:12: listeners: has 0 items; there must be 1 to 64\n");
}

TEST(LoadConfig, PutsVariablesIntoValues) {
  LoadResult loaded =
      load("upstream: http://${HOST}:8000\nworkers: ${WORKERS:-2}\n", environment_with({{"HOST", "app"}}));
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  EXPECT_EQ(loaded->upstream.pools.at(0).addresses.at(0).host, "app");
  EXPECT_EQ(loaded->workers, 2);
}

}  // namespace
}  // namespace gatehouse
