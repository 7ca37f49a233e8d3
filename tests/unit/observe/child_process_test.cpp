#include "observe/child_process.hpp"

#include <gtest/gtest.h>

#include <csignal>

using namespace gatehouse;

namespace {

struct Ran {
  int status = -1;
  std::string out, err;
};

Ran run(std::vector<std::string> command, AppLogForm form = AppLogForm::kAsWritten) {
  Ran ran;
  auto child = ChildProcess::start(command, Redactor::standard(), form,
                                   [&ran](ChildProcess::Stream stream, std::string_view text) {
                                     (stream == ChildProcess::Stream::kOut ? ran.out : ran.err) += text;
                                   });
  EXPECT_TRUE(child);
  if (child) ran.status = (*child)->wait();
  return ran;
}

}  // namespace

TEST(ChildProcess, PassesOutputThroughTheRedactor) {
  const Ran ran = run({"sh", "-c", "echo password=hunter2; echo token=abcdef >&2"});
  EXPECT_EQ(ran.out, "password=REDACTED\n");
  EXPECT_EQ(ran.err, "token=REDACTED\n");
  EXPECT_EQ(ran.status, 0);
}

TEST(ChildProcess, WrapsOutputOnRequest) {
  EXPECT_NE(run({"sh", "-c", "echo hello"}, AppLogForm::kJsonLines).out.find("\"message\":\"hello\"}\n"),
            std::string::npos);
}

TEST(ChildProcess, TellsTheExitStatusAsAShellWould) {
  EXPECT_EQ(run({"sh", "-c", "exit 7"}).status, 7);
  EXPECT_EQ(run({"sh", "-c", "kill -TERM $$"}).status, 128 + SIGTERM);
}

TEST(ChildProcess, LosesNothingTheChildPrintsLast) {
  EXPECT_EQ(
      run({"sh", "-c", "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; printf end"}).out.substr(0, 7),
      "line 0\n");
  EXPECT_TRUE(run({"sh", "-c", "printf 'no line break'"}).out.ends_with("no line break"));
}

TEST(ChildProcess, PassesSignalsOn) {
  std::promise<void> ready;
  bool told = false;
  const std::vector<std::string> command{"sh", "-c",
                                         "trap 'echo got it; exit 3' TERM; echo ready; while :; do sleep 0.05; done"};
  std::string out;
  auto child = ChildProcess::start(command, Redactor::standard(), AppLogForm::kAsWritten,
                                   [&](ChildProcess::Stream, std::string_view text) {
                                     out += text;
                                     if (!std::exchange(told, true)) ready.set_value();
                                   });
  ASSERT_TRUE(child);
  ready.get_future().wait();
  (*child)->signal(SIGTERM);
  EXPECT_EQ((*child)->wait(), 3);
  EXPECT_EQ(out, "ready\ngot it\n");
  (*child)->signal(SIGTERM);  // nobody is hit any more
}

TEST(ChildProcess, KillsTheChildWhenItIsNoLongerWanted) {
  const std::vector<std::string> command{"sleep", "1000"};
  auto child = ChildProcess::start(command, Redactor::standard(), AppLogForm::kAsWritten,
                                   [](ChildProcess::Stream, std::string_view) {});
  ASSERT_TRUE(child);
  auto ended = (*child)->ended();
  child->reset();
  EXPECT_EQ(ended.get(), 128 + SIGKILL);
}

TEST(ChildProcess, SaysWhyItCannotStart) {
  const std::vector<std::string> missing{"/nonexistent/program"};
  const auto child = ChildProcess::start(missing, Redactor::standard(), AppLogForm::kAsWritten, {});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error(), boost::system::errc::no_such_file_or_directory);
  EXPECT_FALSE(ChildProcess::start({}, Redactor::standard(), AppLogForm::kAsWritten, {}));
}
