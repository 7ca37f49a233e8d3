#include "observe/log_writer.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

using namespace gatehouse;
using namespace std::chrono_literals;

namespace {

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe(ends), 0); }
  ~Pipe() {
    close_reader();
    close_writer();
  }
  void close_reader() { close_end(0); }
  void close_writer() { close_end(1); }
  void close_end(int i) {
    if (ends[i] >= 0) ::close(std::exchange(ends[i], -1));
  }
  // Up to `size` bytes, or all until the end.
  std::string read(std::size_t size = SIZE_MAX) {
    std::string all;
    char buffer[65536];
    while (all.size() < size) {
      const ssize_t n = ::read(ends[0], buffer, std::min(sizeof buffer, size - all.size()));
      if (n <= 0) break;
      all.append(buffer, static_cast<std::size_t>(n));
    }
    return all;
  }
  // No more fits.
  std::size_t fill() {
    const int flags = ::fcntl(ends[1], F_GETFL);
    ::fcntl(ends[1], F_SETFL, flags | O_NONBLOCK);
    const std::string block(4096, '.');
    std::size_t filled = 0;
    for (ssize_t n = 0; (n = ::write(ends[1], block.data(), block.size())) > 0;) filled += static_cast<std::size_t>(n);
    ::fcntl(ends[1], F_SETFL, flags);
    return filled;
  }
  int ends[2]{};
};

std::string test_file(std::string_view name) {
  return (std::filesystem::path(testing::TempDir()) /
          ("gatehouse_" + std::to_string(::getpid()) + "_" + std::string(name)))
      .string();
}

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST(LogWriter, WritesEveryLineBeforeItStops) {
  Pipe pipe;
  LogQueue queue;
  LogWriter writer(queue, LogOutput::to_descriptor(pipe.ends[1]));
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    queue.push_line(line);
    expected += line;
  }
  writer.stop(10s);
  EXPECT_EQ(writer.written_bytes(), expected.size());
  EXPECT_EQ(pipe.read(expected.size()), expected);
}

TEST(LogWriter, LeavesTheFlagsOfASharedDescriptorAlone) {
  Pipe pipe;
  const int before = ::fcntl(pipe.ends[1], F_GETFL);
  LogQueue queue;
  LogWriter writer(queue, LogOutput::to_descriptor(pipe.ends[1]));
  queue.push_line("a\n");
  writer.stop(10s);
  EXPECT_EQ(::fcntl(pipe.ends[1], F_GETFL), before);
}

TEST(LogWriter, SurvivesAReaderThatStopsAndSaysWhatWasLost) {
  Pipe pipe;
  const std::size_t filled = pipe.fill();
  LogQueue queue(1000);
  std::optional<LogWriter> writer;
  writer.emplace(queue, LogOutput::to_descriptor(pipe.ends[1]));
  const std::string line = std::string(399, 'x') + "\n";
  EXPECT_TRUE(queue.push_line(line));
  EXPECT_TRUE(queue.push_line(line));
  EXPECT_FALSE(queue.push_line(line));
  EXPECT_FALSE(queue.push_line(line));
  std::string all;
  std::thread reader([&] { all = pipe.read(); });
  writer->stop(10s);
  writer.reset();
  pipe.close_writer();
  reader.join();
  all.erase(0, filled);
  const auto count = [&](std::string_view text) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = all.find(text, at)) != std::string::npos; at += text.size()) ++n;
    return n;
  };
  EXPECT_EQ(count(line), 2u);
  EXPECT_EQ(count(R"("level":"warn","logger":"log","message":"log lines dropped","count":2})"), 1u);
}

TEST(LogWriter, GivesUpOnAReaderThatNeverReads) {
  Pipe pipe;
  pipe.fill();
  LogQueue queue;
  LogWriter writer(queue, LogOutput::to_descriptor(pipe.ends[1]));
  queue.push_line("a\n");
  queue.push_line("b\n");
  writer.stop(0ms);
  EXPECT_EQ(queue.dropped_lines(), 2u);
}

TEST(LogWriter, CountsLinesWhenNobodyReadsAnyMore) {
  Pipe pipe;
  LogQueue queue;
  LogWriter writer(queue, LogOutput::to_descriptor(pipe.ends[1]));
  pipe.close_reader();
  queue.push_line("a\n");
  queue.push_line("b\n");
  writer.stop(10s);
  EXPECT_EQ(queue.dropped_lines(), 2u);
  EXPECT_EQ(writer.write_errors(), 1u);
}

TEST(LogWriter, WritesToASocketWithoutBlocking) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  LogQueue queue;
  LogWriter writer(queue, LogOutput::to_descriptor(ends[1]));
  queue.push_line("a\n");
  writer.stop(10s);
  char buffer[8];
  EXPECT_EQ(::read(ends[0], buffer, sizeof buffer), 2);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(LogWriter, OpensItsFileAnewAfterRotation) {
  const std::string path = test_file("rotated.log");
  LogQueue queue;
  auto output = LogOutput::to_file(path);
  ASSERT_TRUE(output);
  LogWriter writer(queue, std::move(*output));
  queue.push_line("before\n");
  while (writer.written_bytes() < 7) std::this_thread::yield();
  std::filesystem::rename(path, path + ".1");
  writer.reopen();
  queue.push_line("after\n");
  writer.stop(10s);
  // The request to reopen and the line may be seen in one step or two, in this order.
  EXPECT_EQ(contents(path + ".1"), "before\n");
  EXPECT_EQ(contents(path), "after\n");
  std::filesystem::remove(path);
  std::filesystem::remove(path + ".1");
}

TEST(LogWriter, KeepsTheOldFileWhenItCannotOpenANewOne) {
  const std::string directory = test_file("directory");
  std::filesystem::create_directory(directory);
  const std::string path = directory + "/a.log";
  LogQueue queue;
  LogWriter writer(queue, *LogOutput::to_file(path));
  std::filesystem::rename(directory, directory + ".moved");
  writer.reopen();
  while (writer.reopen_errors() == 0) std::this_thread::yield();
  queue.push_line("kept\n");
  writer.stop(10s);
  EXPECT_EQ(contents(directory + ".moved/a.log"), "kept\n");
  std::filesystem::remove_all(directory + ".moved");
}

TEST(LogOutput, TellsWhyAFileCannotBeOpened) {
  const auto output = LogOutput::to_file(test_file("missing") + "/a.log");
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error(), boost::system::errc::no_such_file_or_directory);
}

TEST(LogOutput, IsNoTerminalWhenItIsAPipe) {
  Pipe pipe;
  EXPECT_FALSE(LogOutput::to_descriptor(pipe.ends[1]).terminal());
}

TEST(LogOutput, ReportsAFullDisk) {
  if (::access("/dev/full", W_OK) != 0) return;
  const auto written = std::move(*LogOutput::to_file("/dev/full")).write("a\n");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error(), boost::system::errc::no_space_on_device);
}
