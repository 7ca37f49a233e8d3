#include "app/filter_catalog.hpp"

#include "config/load.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

namespace gatehouse {
namespace {

std::string example_of(const std::string& section) {
  return std::string(GATEHOUSE_SOURCE_DIR) + "/config/filters/" + section + ".yaml";
}

Environment no_variables() {
  Environment environment;
  environment.variable = [](const std::string&) { return std::optional<std::string>(); };
  return environment;
}

TEST(FilterCatalog, HasAnExampleForEverySectionThatLoadsAndBuilds) {
  for (const Section& section : filter_sections()) {
    const std::string file = example_of(section.spec.name);
    ASSERT_TRUE(std::filesystem::exists(file)) << file;
    LoadResult loaded = load_config_file(file, filter_sections(), no_variables());
    for (const Mistake& mistake : loaded.mistakes()) ADD_FAILURE() << to_string(mistake);
    if (!loaded) continue;
    EXPECT_TRUE(has_section(*loaded, section.spec.name)) << file << " is not about " << section.spec.name;
    Mistakes mistakes(file);
    FilterResources resources;
    WorkerFilterCounters counters;
    EXPECT_FALSE(build_filters(*loaded, std::nullopt, resources, counters, mistakes).empty());
    EXPECT_EQ(mistakes.count(), 0U);
  }
}

TEST(FilterCatalog, HasATestSuiteForEveryFilterFile) {
  const std::filesystem::path root(GATEHOUSE_SOURCE_DIR);
  std::string tests;
  // Those that need a real server are tested with it.
  for (const char* folder : {"tests/unit/filters", "tests/integration"})
    for (const auto& entry : std::filesystem::directory_iterator(root / folder)) tests += entry.path().filename().string() + " ";
  for (const auto& entry : std::filesystem::directory_iterator(root / "src/filters")) {
    if (entry.path().extension() != ".hpp") continue;
    std::ifstream file(entry.path());
    std::ostringstream text;
    text << file.rdbuf();
    if (text.str().find(": public HeaderFilter") == std::string::npos && text.str().find(": public Filter") == std::string::npos) continue;
    EXPECT_NE(tests.find(entry.path().stem().string() + "_test.cpp"), std::string::npos) << entry.path();
  }
}

TEST(FilterCatalog, BuildsTheSafeDefaultForTheSmallestConfiguration) {
  LoadResult loaded = load_config("upstream: http://127.0.0.1:8000\n", "smallest.yaml", filter_sections(), no_variables());
  ASSERT_TRUE(loaded);
  Mistakes mistakes("smallest.yaml");
  FilterResources resources;
  WorkerFilterCounters counters;
  const auto filters = build_filters(*loaded, std::nullopt, resources, counters, mistakes);
  EXPECT_GE(filters.size(), 4U);  // request id, security headers, hygiene, redirect
}

// What a reload does: the next configuration is built while the old one serves, with the same resources.
TEST(FilterCatalog, TheNextConfigurationFindsWhatItsUnchangedLimitsCounted) {
  FilterResources resources;
  WorkerFilterCounters counters;
  Mistakes mistakes("reload.yaml");
  const auto build = [&](const std::string& limits) {
    LoadResult loaded = load_config("upstream: http://127.0.0.1:8000\n" + limits, "reload.yaml", filter_sections(), no_variables());
    for (const Mistake& mistake : loaded.mistakes()) ADD_FAILURE() << to_string(mistake);
    return build_filters(*loaded, std::nullopt, resources, counters, mistakes);
  };
  const auto tables = [&] {
    std::map<std::string, const RateTable*> found;
    resources.rate_tables.for_each([&](const std::string& name, const RateTable& table) { found[name] = &table; });
    return found;
  };
  const auto limits = [&] {
    std::vector<const ConcurrencyShared*> found;
    resources.concurrency_gates.for_each([&](const std::string&, const ConcurrencyShared& shared) { found.push_back(&shared); });
    return found;
  };
  const std::string stays = "rate_limits:\n  - { name: stays, quota: 5, window: 1s }\n";
  auto old = build(stays + "  - { name: goes, quota: 5, window: 1s }\nconcurrency: { requests: 4 }\n");
  const auto before = tables();
  const auto gates_before = limits();
  const auto next = build(stays + "  - { name: comes, quota: 5, window: 1s }\nconcurrency: { requests: 4, queue_timeout: 9s }\n");
  old.clear();
  const auto after = tables();
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after.at("stays"), before.at("stays"));
  EXPECT_EQ(after.count("comes"), 1U);
  EXPECT_EQ(limits(), gates_before);
  const auto last = build("concurrency: { requests: 5 }\n");
  EXPECT_EQ(limits().size(), 2U);
}

}  // namespace
}  // namespace gatehouse
