#include "observe/crash_flush.hpp"

#include "observe/logging.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace gatehouse;

namespace {

constexpr int kLines = 20000;

// In a process of its own: logs many lines and crashes before they can have been written.
void log_and_crash(const std::string& path, int signal) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  std::signal(signal, SIG_DFL);  // not a sanitizer's business
  LoggingOptions options;
  options.output = path;
  const auto logging = Logging::start(options, Redactor::standard());
  const CrashFlush flush((*logging)->queue());
  LogBuffer buffer((*logging)->queue());
  for (int i = 0; i < kLines; ++i) {
    buffer.text() += "a line that is not written yet\n";
    buffer.line_added();
  }
  buffer.flush();
  std::raise(signal);
}

std::ptrdiff_t lines_of(const std::string& path) {
  std::ifstream file(path);
  return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
}

}  // namespace

TEST(CrashFlushDeathTest, WritesWhatWaitsAndLetsTheProcessDieOfTheSameSignal) {
  // Runs this program again instead of only forking it: threads start in there.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::string path = testing::TempDir() + "gatehouse_crash_flush";
  for (const int signal : {SIGABRT, SIGSEGV}) {
    std::filesystem::remove(path);
    EXPECT_EXIT(log_and_crash(path, signal), testing::KilledBySignal(signal), "");
    EXPECT_EQ(lines_of(path), kLines) << signal;
  }
  std::filesystem::remove(path);
}
