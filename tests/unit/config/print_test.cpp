#include "config/print.hpp"

#include "config/setting_value.hpp"
#include "config/yaml_tree.hpp"
#include "unit/config/support.hpp"

#include <filesystem>
#include <random>

namespace gatehouse {
namespace {

// Reads what was printed, as `validate` does.
LoadResult load_printed(const std::string& text, Environment environment = {}) {
  environment.accept_redacted = true;
  return load(text, environment);
}

TEST(PrintConfig, LoadsToTheSameConfigurationForEveryExample) {
  std::size_t examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(GATEHOUSE_SOURCE_DIR "/config")) {
    if (entry.path().extension() != ".yaml") continue;
    ++examples;
    LoadResult loaded = load(source_file("config/" + entry.path().filename().string()));
    ASSERT_TRUE(loaded) << all_mistakes(loaded);
    const std::string printed = print_config(*loaded);
    LoadResult again = load_printed(printed);
    ASSERT_TRUE(again) << all_mistakes(again) << printed;
    expect_equal(*again, *loaded);
    EXPECT_EQ(print_config(*again), printed);
  }
  EXPECT_GT(examples, 0u);
}

TEST(PrintConfig, LoadsToTheSameConfigurationWhereEverythingIsGiven) {
  const TemporaryFolder folder;
  const std::string file = folder.write("pem", "x");
  LoadResult loaded = load(R"(
listeners:
  - { address: "[::]:8443", tls: { certificates: [{ certificate: )" +
                           file + ", private_key: " + file + R"( }], profile: modern } }
  - { address: unix:/run/g.sock, proxy_protocol: true }
admin: { address: unix:/run/admin.sock }
workers: 3
upstream: { url: unix:/run/app.sock, replay: false, wait_for_app: 10s, health: { path: /up, rise: 2, expect_status: "200,204" } }
limits: { body: 1500000B, connections_per_address: 7 }
timeouts: { body_minimum_rate: 0, tunnel_idle: 90m }
header_names: { allow: [a_b, c.d] }
paths: { encoded_slash: keep, dot_segments: normalise, double_slash: merge }
trusted_proxies: ["::1", 10.0.0.0/8]
health:
  path: ""
  checks:
    - { name: a, type: file_age, path: /x, maximum_age: 36h }
    - { name: b, type: disk, path: /, minimum_free: 5GiB, critical: false }
    - { name: c, type: command, command: [/bin/check, "--a b", "$${X}", "off", "12"] }
log: { level: off, levels: { csp: error }, bodies: { enabled: true }, access: { sample: 0.125, headers: [User-Agent], minimum_duration: 5ms }, redact: { names: [ssn, "größe", "a: b", "#x", "\\d\"q"], patterns: ['\d{3}'] } }
routes:
  - match: { path: "/items/{id}", methods: [GET], host: "*.example.com" }
    limits: { body: 1B }
    log: { bodies: { enabled: false, content_types: ["*+json"] } }
  - match: {}
shutdown: { linger: 5s, deadline: 0s }
)");
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  const std::string printed = print_config(*loaded);
  LoadResult again = load_printed(printed);
  ASSERT_TRUE(again) << all_mistakes(again) << printed;
  expect_equal(*again, *loaded);
  EXPECT_EQ(print_config(*again), printed);
}

TEST(PrintConfig, NeverPrintsASecret) {
  const TemporaryFolder folder;
  const std::string file = folder.write("token", "hunter2\n");
  const Environment environment = environment_with({{"PW", "hunter2"}, {"URL", "redis://:hunter2@cache"}});
  LoadResult loaded = load("upstream: http://127.0.0.1:8000\nhealth:\n  token_file: " + file + R"(
  checks:
    - { name: a, type: postgres, url: "postgres://app:hunter2@db/app?sslpassword=hunter2&sslmode=require" }
    - { name: b, type: postgres, url: "postgres://app:${PW}@db:5432/app" }
    - { name: c, type: redis, url: "${URL}" }
    - { name: d, type: http, url: "http://example.com/hooks/hunter2" }
    - { name: e, type: mysql, url: "mysql://app:hunter2/@db/app" }
    - { name: f, type: redis, url: "${NONE:-redis://:hunter2@cache}" }
)",
                           environment);
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  EXPECT_EQ(loaded->health.token.reveal(), "hunter2");
  const std::string printed = print_config(*loaded);
  EXPECT_EQ(printed.find("hunter2"), std::string::npos) << printed;
  for (const std::string& line :
       {"token_file: " + file,
        std::string("url: \"postgres://app:<redacted>@db/app?sslpassword=<redacted>&sslmode=<redacted>\""),
        std::string("url: \"postgres://app:${PW}@db:5432/app\""), std::string("url: \"${URL}\""),
        std::string("url: \"http://example.com/<redacted>\""), std::string("url: \"<redacted>\"")})
    EXPECT_NE(printed.find(line + "\n"), std::string::npos) << line << "\n" << printed;
  LoadResult again = load_printed(printed, environment);
  ASSERT_TRUE(again) << all_mistakes(again);
  EXPECT_EQ(print_config(*again), printed);
  EXPECT_EQ(again->health.token, loaded->health.token);
  EXPECT_EQ(again->health.checks[1], loaded->health.checks[1]);
  EXPECT_EQ(again->health.checks[2], loaded->health.checks[2]);
  EXPECT_FALSE(load(printed, environment));
}

TEST(PrintConfig, ShowsOfARouteOnlyWhatItChanges) {
  LoadResult loaded =
      load("upstream: http://127.0.0.1:8000\nroutes: [{ match: { path: /a }, limits: { body: 1KiB } }]\n");
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  EXPECT_NE(print_config(*loaded).find("routes:\n  - match:\n      path: /a\n    limits:\n      body: 1KiB\n"),
            std::string::npos)
      << print_config(*loaded);
}

TEST(RedactedSecret, HidesWhateverMayBeSecret) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"abc", "<redacted>"},
      {"${TOKEN}", "${TOKEN}"},
      {"${TOKEN:?set it}", "${TOKEN:?set it}"},
      {"${TOKEN:-abc}", "<redacted>"},
      {"x${TOKEN}", "<redacted>"},
      {"${A}${B}", "<redacted>"},
      {"redis://cache:6379/0", "redis://cache:6379/0"},
      {"redis://:pw@cache", "redis://:<redacted>@cache"},
      {"redis://:p@w@cache", "<redacted>"},
      {"redis://:p/w@cache", "<redacted>"},
      {"redis://:p?w@cache", "<redacted>"},
      {"redis://:p#w@cache", "<redacted>"},
      {"redis://user:pw@cache?password=pw", "redis://user:<redacted>@cache?password=<redacted>"},
      {"postgres://${U}:${P}@${H:-db}/app", "postgres://${U}:${P}@${H:-db}/app"},
      {"postgres://${U:-me}:pw@db/app", "postgres://${U:-me}:<redacted>@db/app"},
      {"https://token@host/path", "https://<redacted>@host/<redacted>"},
      {"http://host/", "http://host/"},
      {"postgres://db?password=a&x", "postgres://db?password=<redacted>&x"},
  };
  for (const auto& [written, wanted] : cases) EXPECT_EQ(redacted_secret(written), wanted) << written;
}

TEST(YamlScalar, IsReadBackAsTheSameText) {
  std::mt19937 random(20240607);
  const std::string_view alphabet[] = {"a", "Z", "0", " ", "\"", "\\",         "'",      "#",    ":", "-", "{",
                                       "}", "[", "]", ",", "&",  "*",          "!",      "|",    ">", "%", "@",
                                       "`", "$", "~", "ü", "日", "\U0001F600", "\u2028", "null", "no"};
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (std::size_t length = random() % 12; length > 0; --length) text += alphabet[random() % std::size(alphabet)];
    Mistakes mistakes("x");
    const auto tree = parse_yaml("k: " + yaml_scalar(text) + "\n", mistakes);
    ASSERT_TRUE(tree && tree->entries.size() == 1) << text;
    EXPECT_EQ(tree->entries[0].value.text, text);
    EXPECT_EQ(tree->entries[0].value.kind, YamlNode::Kind::kScalar);
  }
}

}  // namespace
}  // namespace gatehouse
