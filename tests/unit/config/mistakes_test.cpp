// mistakes.txt is a table of bad configurations and the exact messages that each of them gets.
#include "unit/config/support.hpp"

#include <sstream>
#include <vector>

namespace gatehouse {
namespace {

struct BadFile {
  std::string name;  // what it shows, as a sentence
  std::string text;
  std::string messages;
};

void PrintTo(const BadFile& file, std::ostream* out) { *out << file.text; }

// `=== Name (kind)`, the file, `--->`, its messages. The kind is for the test of the JSON Schema.
std::vector<BadFile> bad_files() {
  std::istringstream lines(source_file("tests/unit/config/mistakes.txt"));
  std::vector<BadFile> files;
  std::string line;
  bool in_messages = false;
  while (std::getline(lines, line)) {
    if (line.starts_with("=== ")) {
      files.push_back({line.substr(4, line.find(' ', 4) - 4), {}, {}});
      in_messages = false;
    } else if (line == "--->") {
      in_messages = true;
    } else {
      (in_messages ? files.back().messages : files.back().text) += line + "\n";
    }
  }
  return files;
}

class Mistaken : public testing::TestWithParam<BadFile> {};

TEST_P(Mistaken, IsTold) {
  const Environment environment = environment_with({{"PASSWORD", "hunter2"}, {"EMPTY", ""}});
  const LoadResult loaded = load(GetParam().text, environment);
  std::string messages;
  for (const Mistake& mistake : loaded.mistakes())
    messages += to_string(mistake).substr(std::string_view("gatehouse.yaml:").size()) + "\n";
  EXPECT_FALSE(loaded);
  EXPECT_EQ(messages, GetParam().messages);
  EXPECT_EQ(messages.find("hunter2"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(, Mistaken, testing::ValuesIn(bad_files()), [](const auto& file) { return file.param.name; });

TEST(MistakeTable, IsThere) { EXPECT_GE(bad_files().size(), 60u); }

}  // namespace
}  // namespace gatehouse
