// config/gatehouse.yaml is at once the documented defaults, an example and a test input.
#include "config/keys.hpp"
#include "config/print.hpp"
#include "config/yaml_tree.hpp"
#include "unit/config/support.hpp"

#include <set>
#include <sstream>

namespace gatehouse {
namespace {

// The file with its commented-out settings, `#name: value`, made settings; prose, `# ...`, stays. A list whose items
// are commented out loses its [].
std::string with_every_setting(const std::string& text) {
  std::istringstream lines(text);
  std::string result, line;
  while (std::getline(lines, line)) {
    const std::size_t hash = line.find_first_not_of(' ');
    const bool is_setting =
        hash != std::string::npos && line[hash] == '#' && hash + 1 < line.size() && line[hash + 1] != ' ';
    if (is_setting) line.erase(hash, 1);
    if (line == "  checks: []" || line == "routes: []") line.erase(line.size() - 3);
    result += line + "\n";
  }
  return result;
}

void collect(const std::vector<KeySpec>& keys, const std::string& path, std::set<std::string>& paths) {
  for (const KeySpec& spec : keys) {
    paths.insert(path + spec.name);
    collect(spec.children, path + spec.name + ".", paths);
  }
}

void collect(const YamlNode& node, const std::string& path, std::set<std::string>& paths) {
  for (const YamlEntry& entry : node.entries) {
    paths.insert(path + entry.key);
    collect(entry.value, path + entry.key + ".", paths);
  }
  for (const YamlNode& item : node.items) collect(item, path, paths);
}

TEST(ExampleFile, HasEveryKeyOfTheTableAndNoOther) {
  Mistakes mistakes("gatehouse.yaml");
  const auto tree = parse_yaml(with_every_setting(source_file("config/gatehouse.yaml")), mistakes);
  ASSERT_TRUE(tree) << to_string(mistakes.sorted().at(0));
  std::set<std::string> wanted, found;
  collect(file_keys({}).children, "", wanted);
  collect(*tree, "", found);
  EXPECT_EQ(found, wanted);
}

TEST(ExampleFile, HoldsTheDefaults) {
  LoadResult example = load(source_file("config/gatehouse.yaml"));
  ASSERT_TRUE(example) << all_mistakes(example);
  LoadResult smallest = load(kSmallest);
  ASSERT_TRUE(smallest);
  expect_equal(*example, *smallest);
  EXPECT_EQ(print_config(*example), print_config(*smallest));
}

TEST(ExampleFile, LoadsWithItsCommentedSettingsButForMissingFilesAndAlternatives) {
  std::string text = with_every_setting(source_file("config/gatehouse.yaml"));
  const LoadResult loaded =
      load(text, environment_with({{"HEALTH_TOKEN", "t"}, {"LOG_HASH_KEY", "k"}, {"DATABASE_URL", "postgres://db/app"}}));
  EXPECT_FALSE(loaded);
  for (const Mistake& mistake : loaded.mistakes())
    EXPECT_TRUE(mistake.sentence.ends_with("does not exist") || mistake.sentence == "excludes pools; give one of them") << to_string(mistake);
}

}  // namespace
}  // namespace gatehouse
