// Sections as the filters bring them.
#include "config/print.hpp"
#include "config/schema.hpp"
#include "unit/config/support.hpp"

#include <stdexcept>

namespace gatehouse {
namespace {

enum class Preset { kApi, kWeb, kNone };

Section cors() {
  return {key::map("cors",
                   {
                       key::texts("allow_origins", {}, "Origins.").of_format(format::kUrl).within(1, 10),
                       key::texts("allow_methods", {"GET", "HEAD"}, "Methods.").of_format(format::kMethod),
                       key::boolean("allow_credentials", false, "Credentials."),
                       key::duration("max_age", std::chrono::seconds{5}, "How long."),
                   },
                   "CORS.")
              .optional(),
          true, [](OptionsReader& options) {
            const std::vector<std::string> origins = options.texts("allow_origins");
            for (std::size_t i = 0; i < origins.size(); ++i)
              if (origins[i].ends_with('/')) options.mistake("allow_origins", i, "ends with /, which no origin does");
          }};
}

Section security_headers() {
  return {key::map("security_headers",
                   {key::choice("preset", {"api", "web", "none"}, "api", "The set."),
                    key::text("frame_options", "DENY", "Frames."),
                    key::map("hsts",
                             {key::duration("max_age", std::chrono::hours{24}, "How long."),
                              key::boolean("preload", false, "List.")},
                             "HTTPS alone.")},
                   "Headers.")
              .or_just("preset"),
          true, [](OptionsReader& options) {
            if (options.choice<Preset>("preset") == Preset::kNone && options.map("hsts").boolean("preload"))
              options.map("hsts").mistake("preload", "needs a preset");
          }};
}

Section rate_limits() {
  return {key::maps("rate_limits",
                    {key::text("name", std::nullopt, "Name.").of_format(format::kName).required(),
                     key::integer("quota", std::nullopt, "How many.").within(1, 1000).required(),
                     key::duration("window", std::chrono::seconds{1}, "In what time.")},
                    "Limits."),
          true, [](OptionsReader& options) {
            for (OptionsReader& limit : options.maps("rate_limits"))
              if (limit.text("name") == "reserved") limit.mistake("name", "is reserved");
          }};
}

Section request_id() { return {key::boolean("request_id", true, "Ids."), false, {}}; }

Section api_keys() {
  return {key::map("api_keys",
                   {key::text("pepper", std::nullopt, "Secret.").secret().required(),
                    key::text("header", "X-Api-Key", "Where.")},
                   "Keys.")
              .optional(),
          true,
          {}};
}

const std::vector<Section>& sections() {
  static const std::vector<Section> all{cors(), security_headers(), rate_limits(), request_id(), api_keys()};
  return all;
}

LoadResult load_all(const std::string& text) {
  return load_config("upstream: http://127.0.0.1:8000\n" + text, "gatehouse.yaml", sections(), {});
}

TEST(Sections, AreReadWithTheirDefaults) {
  LoadResult loaded = load_all("");
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  Mistakes mistakes("gatehouse.yaml");
  EXPECT_FALSE(has_section(*loaded, "cors"));
  EXPECT_FALSE(has_section(*loaded, "api_keys"));
  EXPECT_TRUE(has_section(*loaded, "security_headers"));
  const OptionsReader headers = section(*loaded, "security_headers", mistakes);
  EXPECT_EQ(headers.choice<Preset>("preset"), Preset::kApi);
  EXPECT_EQ(headers.choice_text("preset"), "api");
  EXPECT_EQ(headers.map("hsts").duration("max_age"), std::chrono::hours{24});
  EXPECT_TRUE(section(*loaded, "rate_limits", mistakes).maps("rate_limits").empty());
  EXPECT_TRUE(section(*loaded, "request_id", mistakes).boolean("request_id"));
  EXPECT_EQ(mistakes.count(), 0u);
}

TEST(Sections, AreReadAsTheyAreWritten) {
  LoadResult loaded = load_all(R"(
cors: { allow_origins: ["https://a.example"], allow_credentials: true }
security_headers: web
rate_limits: [{ name: a, quota: 5, window: 1m }, { name: b, quota: 6 }]
request_id: false
)");
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  Mistakes mistakes("gatehouse.yaml");
  const OptionsReader cors = section(*loaded, "cors", mistakes);
  EXPECT_EQ(cors.texts("allow_origins"), std::vector<std::string>{"https://a.example"});
  EXPECT_EQ(cors.texts("allow_methods"), (std::vector<std::string>{"GET", "HEAD"}));
  EXPECT_TRUE(cors.boolean("allow_credentials"));
  EXPECT_EQ(section(*loaded, "security_headers", mistakes).choice<Preset>("preset"), Preset::kWeb);
  const std::vector<OptionsReader> limits = section(*loaded, "rate_limits", mistakes).maps("rate_limits");
  ASSERT_EQ(limits.size(), 2u);
  EXPECT_EQ(limits[0].integer("quota"), 5);
  EXPECT_EQ(limits[1].duration("window"), std::chrono::seconds{1});
  EXPECT_FALSE(section(*loaded, "request_id", mistakes).boolean("request_id"));
}

TEST(Sections, OnARouteRefineTheSectionAtTheTop) {
  LoadResult loaded = load_all(R"(
cors: { allow_origins: ["https://a.example"], max_age: 7s }
security_headers: { preset: web, hsts: { max_age: 2h } }
rate_limits: [{ name: a, quota: 5 }]
routes:
  - match: { path: /a }
    cors: { allow_credentials: true }
    security_headers: { frame_options: SAMEORIGIN, hsts: { preload: true } }
    rate_limits: [{ name: login, quota: 1 }]
  - match: { path: /b }
)");
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  Mistakes mistakes("gatehouse.yaml");
  const OptionsReader cors = section(*loaded, "cors", mistakes, 0);
  EXPECT_TRUE(cors.boolean("allow_credentials"));
  EXPECT_EQ(cors.texts("allow_origins"), std::vector<std::string>{"https://a.example"});
  EXPECT_EQ(cors.duration("max_age"), std::chrono::seconds{7});
  const OptionsReader headers = section(*loaded, "security_headers", mistakes, 0);
  EXPECT_EQ(headers.choice<Preset>("preset"), Preset::kWeb);
  EXPECT_EQ(headers.text("frame_options"), "SAMEORIGIN");
  EXPECT_TRUE(headers.map("hsts").boolean("preload"));
  EXPECT_EQ(headers.map("hsts").duration("max_age"), std::chrono::hours{2});
  const std::vector<OptionsReader> limits = section(*loaded, "rate_limits", mistakes, 0).maps("rate_limits");
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].text("name"), "login");
  EXPECT_TRUE(has_section(*loaded, "cors", 0));
  EXPECT_FALSE(has_section(*loaded, "cors", 1));
  EXPECT_EQ(section(*loaded, "security_headers", mistakes, 1).text("frame_options"), "DENY");
}

TEST(Sections, TellWhatOnlyTheFilterKnowsWhereItIsWritten) {
  const LoadResult loaded = load_all(R"(
cors:
  allow_origins:
    - https://a.example
    - https://b.example/
rate_limits: [{ name: a, quota: 5 }, { name: reserved, quota: 5 }]
routes:
  - match: { path: /a }
    security_headers: { preset: none, hsts: { preload: true } }
)");
  EXPECT_EQ(all_mistakes(loaded),
            "gatehouse.yaml:6:7: cors.allow_origins[1]: ends with /, which no origin does\n"
            "gatehouse.yaml:7:46: rate_limits[1].name: is reserved\n"
            "gatehouse.yaml:10:56: routes[0].security_headers.hsts.preload: needs a preset\n");
}

TEST(Sections, AreNotCheckedByTheFilterWhereTheirShapeIsWrong) {
  const LoadResult loaded = load_all("cors: { allow_origins: [\"https://b.example/\"], max_age: 5 }\n");
  EXPECT_EQ(all_mistakes(loaded),
            "gatehouse.yaml:2:57: cors.max_age: \"5\" has no unit: put ms, s, m, h or d behind the number\n");
}

TEST(Sections, OnARouteNeedTheirRequiredKeysThereOrAtTheTop) {
  const std::string route = "routes: [{ match: { path: /a }, api_keys: { header: X-K } }]\n";
  EXPECT_EQ(
      all_mistakes(load_all(route)),
      "gatehouse.yaml:2:43: routes[0].api_keys.pepper: is missing; it must be given, here or at the top of the file\n");
  LoadResult loaded = load_all("api_keys: { pepper: salt }\n" + route);
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  Mistakes mistakes("gatehouse.yaml");
  EXPECT_EQ(section(*loaded, "api_keys", mistakes, 0).secret("pepper"), Secret("salt"));
  EXPECT_EQ(section(*loaded, "api_keys", mistakes, 0).text("header"), "X-K");
}

TEST(Sections, ThatAreNotPossibleOnARouteAreRefusedThere) {
  EXPECT_EQ(
      all_mistakes(load_all("routes: [{ match: {}, request_id: false }]\n")),
      "gatehouse.yaml:2:23: routes[0].request_id: is not a known key on a route; it is possible only at the top of the "
      "file\n");
}

TEST(Sections, ArePrintedAndReadBack) {
  LoadResult loaded = load_all(R"(
cors: { allow_origins: ["https://a.example"] }
security_headers: { frame_options: "no" }
rate_limits: [{ name: a, quota: 5 }]
api_keys: { pepper: hunter2 }
routes: [{ match: { path: /a }, cors: { max_age: 1m }, rate_limits: [{ name: b, quota: 1 }] }]
)");
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  const std::string printed = print_config(*loaded);
  EXPECT_EQ(printed.find("hunter2"), std::string::npos);
  Environment environment;
  environment.accept_redacted = true;
  LoadResult again = load_config(printed, "gatehouse.yaml", sections(), environment);
  ASSERT_TRUE(again) << all_mistakes(again) << printed;
  EXPECT_EQ(print_config(*again), printed);
}

TEST(Sections, MustNotBeCalledAsACoreKey) {
  const Section clash{key::boolean("limits", true, "x"), false, {}};
  EXPECT_THROW(load_config("upstream: http://a\n", "x", std::span(&clash, 1), {}), std::logic_error);
}

TEST(OptionsReader, RefusesKeysThatAreNotDeclared) {
  LoadResult loaded = load_all("");
  ASSERT_TRUE(loaded);
  Mistakes mistakes("gatehouse.yaml");
  const OptionsReader headers = section(*loaded, "security_headers", mistakes);
  EXPECT_THROW(headers.text("nonsense"), std::logic_error);
  EXPECT_THROW(headers.has("nonsense"), std::logic_error);
  EXPECT_THROW(headers.text("preset"), std::logic_error);
  EXPECT_THROW(section(*loaded, "nonsense", mistakes), std::logic_error);
  EXPECT_THROW(key::integer("x", 1, "x").secret(), std::logic_error);
}

TEST(OptionsReader, TellsAMistakeInADefaultAtTheMap) {
  LoadResult loaded = load_all("security_headers:\n  preset: web\n");
  ASSERT_TRUE(loaded);
  Mistakes mistakes("gatehouse.yaml");
  OptionsReader headers = section(*loaded, "security_headers", mistakes);
  headers.mistake("frame_options", "excludes the preset");
  headers.mistake("needs more");
  ASSERT_EQ(mistakes.sorted().size(), 2u);
  EXPECT_EQ(to_string(mistakes.sorted()[0]), "gatehouse.yaml:3:3: security_headers.frame_options: excludes the preset");
  EXPECT_EQ(to_string(mistakes.sorted()[1]), "gatehouse.yaml:3:3: security_headers: needs more");
}

TEST(Secret, HasNoWayIntoAStream) {
  const Secret secret("hunter2");
  EXPECT_EQ(testing::PrintToString(secret).find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace gatehouse
