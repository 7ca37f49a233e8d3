// What the tests of the configuration share.
#pragma once

#include "config/load.hpp"

#include <gtest/gtest.h>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace gatehouse {

constexpr std::string_view kSmallest = "upstream: http://127.0.0.1:8000\n";

inline Environment environment_with(std::map<std::string, std::string> variables) {
  return {[variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
            const auto found = variables.find(name);
            if (found == variables.end()) return std::nullopt;
            return found->second;
          },
          false};
}

inline LoadResult load(std::string_view text, const Environment& environment = {}) {
  return load_config(text, "gatehouse.yaml", {}, environment);
}

// One mistake a line.
inline std::string all_mistakes(const LoadResult& loaded) {
  std::string text;
  for (const Mistake& mistake : loaded.mistakes()) text += to_string(mistake) + "\n";
  return text;
}

inline std::string source_file(const std::string& path) {
  std::ifstream file(std::string(GATEHOUSE_SOURCE_DIR "/") + path);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void expect_equal(const Config& left, const Config& right) {
  EXPECT_EQ(left.listeners, right.listeners);
  EXPECT_EQ(left.admin, right.admin);
  EXPECT_EQ(left.workers, right.workers);
  EXPECT_EQ(left.upstream, right.upstream);
  EXPECT_EQ(left.limits, right.limits);
  EXPECT_EQ(left.timeouts, right.timeouts);
  EXPECT_EQ(left.header_names, right.header_names);
  EXPECT_EQ(left.paths, right.paths);
  EXPECT_EQ(left.trusted_proxies, right.trusted_proxies);
  EXPECT_EQ(left.health, right.health);
  EXPECT_EQ(left.log, right.log);
  EXPECT_EQ(left.routes, right.routes);
  EXPECT_EQ(left.shutdown, right.shutdown);
}

// A folder for the files of one test, removed with it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  // Writes a file and gives its path.
  std::string write(const std::string& name, std::string_view content) const;

 private:
  std::string path_;
};

}  // namespace gatehouse
