#include "commands/commands.hpp"

#include <gtest/gtest.h>
#include <fstream>
#include <vector>

namespace gatehouse {
namespace {

struct Ran {
  int exit_code;
  std::string out, err;
};

Ran run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "gatehouse");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int exit_code = run_cli(static_cast<int>(arguments.size()), argv.data(), {});
  std::string out = testing::internal::GetCapturedStdout();
  return {exit_code, std::move(out), testing::internal::GetCapturedStderr()};
}

std::string file_with(const std::string& text) {
  static int number = 0;
  const std::string path =
      testing::TempDir() + "cli_test_" + std::to_string(::getpid()) + "_" + std::to_string(++number) + ".yaml";
  std::ofstream(path) << text;
  return path;
}

TEST(CommandLine, ExplainsItselfOnStandardOutput) {
  const Ran ran = run({"--help"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_NE(ran.out.find("validate"), std::string::npos);
  EXPECT_EQ(ran.err, "");
}

TEST(CommandLine, EndsWithTwoWhenItIsUsedWrongly) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, {"frobnicate"}, {"validate"}, {"version", "--frobnicate"}}) {
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.exit_code, 2);
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.err, "");
  }
}

TEST(CommandLine, PrintsTheVersion) {
  const Ran ran = run({"version"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_TRUE(ran.out.starts_with("gatehouse ")) << ran.out;
}

TEST(Validate, SaysNothingOnStandardOutputAndEndsWithZeroWhenAllIsFine) {
  const std::string file = file_with("upstream: http://127.0.0.1:8000\n");
  const Ran ran = run({"validate", file});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, file + ": fine\n");
}

TEST(Validate, TellsTheMistakesOfEveryFileAndEndsWithTwo) {
  const std::string good = file_with("upstream: http://127.0.0.1:8000\n");
  const std::string bad = file_with("upstraem: http://127.0.0.1:8000\n");
  const Ran ran = run({"validate", bad, good, "/nonexistent.yaml"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_EQ(ran.err, bad + ":1:1: upstraem: is not a known key; did you mean \"upstream\"?\n" + bad +
                         ":1:1: upstream: is missing; it must be given\n" + good +
                         ": fine\n"
                         "/nonexistent.yaml: does not exist\n");
}

}  // namespace
}  // namespace gatehouse
