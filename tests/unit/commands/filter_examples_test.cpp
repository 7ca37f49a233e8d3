// config/filters/<name>.yaml is at once the documentation of a filter's settings, an example and a test input.
#include "app/filter_catalog.hpp"
#include "config/load.hpp"
#include "config/print.hpp"

#include <gtest/gtest.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

namespace gatehouse {
namespace {

namespace fs = std::filesystem;

fs::path example_of(const Section& filter) {
  return fs::path(GATEHOUSE_SOURCE_DIR "/config/filters") / (filter.spec.name + ".yaml");
}

Environment looking_at_it() {
  return {[](const std::string&) -> std::optional<std::string> { return std::nullopt; }, true};
}

void collect_names(const KeySpec& spec, std::vector<std::string>& names) {
  names.push_back(spec.name);
  for (const KeySpec& child : spec.children) collect_names(child, names);
}

class FilterExample : public testing::TestWithParam<std::size_t> {
 protected:
  const Section& filter() const { return filter_sections()[GetParam()]; }
};

TEST_P(FilterExample, LoadsToTheSameConfigurationOnceItIsPrinted) {
  LoadResult loaded = load_config_file(example_of(filter()), filter_sections(), looking_at_it());
  ASSERT_TRUE(loaded) << to_string(loaded.mistakes().at(0));
  const std::string printed = print_config(*loaded);
  LoadResult again = load_config(printed, example_of(filter()).string(), filter_sections(), looking_at_it());
  ASSERT_TRUE(again) << to_string(again.mistakes().at(0)) << "\n" << printed;
  EXPECT_EQ(print_config(*again), printed);
}

TEST_P(FilterExample, ShowsEveryKey) {
  std::ifstream file(example_of(filter()));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> names;
  collect_names(filter().spec, names);
  for (const std::string& name : names)
    EXPECT_TRUE(std::regex_search(text, std::regex("(^|[^a-z_])" + name + "(_file)?:"))) << name;
}

INSTANTIATE_TEST_SUITE_P(, FilterExample, testing::Range<std::size_t>(0, filter_sections().size()),
                         [](const auto& index) { return filter_sections()[index.param].spec.name; });

TEST(FilterExamples, AreThereForNothingElse) {
  for (const auto& entry : fs::directory_iterator(GATEHOUSE_SOURCE_DIR "/config/filters")) {
    const auto filters = filter_sections();
    const std::string name = entry.path().stem().string();
    EXPECT_TRUE(std::any_of(filters.begin(), filters.end(), [&](const Section& f) { return f.spec.name == name; }))
        << name;
  }
}

}  // namespace
}  // namespace gatehouse
