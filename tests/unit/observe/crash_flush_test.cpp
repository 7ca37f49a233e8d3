#include "observe/crash_flush.hpp"

#include "observe/logging.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace gatehouse;

namespace {

// Runs `crash` in a child that has just logged many lines; how many of them are in the file, and what ended it.
struct Crashed {
  std::size_t lines = 0;
  int status = 0;
};

Crashed crashed(void (*crash)()) {
  const auto path = std::filesystem::path(testing::TempDir()) / ("gatehouse_crash_" + std::to_string(::getpid()));
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    for (const int number : {SIGSEGV, SIGABRT}) std::signal(number, SIG_DFL);  // not a sanitizer's business
    LoggingOptions options;
    options.output = path.string();
    const auto logging = Logging::start(options, Redactor::standard());
    const CrashFlush flush((*logging)->queue());
    LogBuffer buffer((*logging)->queue());
    for (int i = 0; i < 20000; ++i) {
      buffer.text() += "a line that is not written yet\n";
      buffer.line_added();
    }
    buffer.flush();
    crash();
    ::_exit(0);
  }
  Crashed result;
  ::waitpid(child, &result.status, 0);
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) ++result.lines;
  std::filesystem::remove(path);
  return result;
}

}  // namespace

TEST(CrashFlush, WritesWhatWaitsAndDiesOfTheSameSignal) {
  const Crashed aborted = crashed([] { std::abort(); });
  EXPECT_EQ(aborted.lines, 20000u);
  ASSERT_TRUE(WIFSIGNALED(aborted.status));
  EXPECT_EQ(WTERMSIG(aborted.status), SIGABRT);
  const Crashed sent = crashed([] { std::raise(SIGSEGV); });
  EXPECT_EQ(sent.lines, 20000u);
  ASSERT_TRUE(WIFSIGNALED(sent.status));
  EXPECT_EQ(WTERMSIG(sent.status), SIGSEGV);
}
