#include "observe/redact_filter.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <thread>

using namespace gatehouse;

namespace {

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe(ends), 0); }
  ~Pipe() {
    close(0);
    close(1);
  }
  void close(int i) {
    if (ends[i] >= 0) ::close(std::exchange(ends[i], -1));
  }
  int ends[2]{};
};

std::string filtered(std::string_view text, AppLogForm form, int flags = 0) {
  Pipe in, out;
  if (flags != 0) {
    ::fcntl(in.ends[0], F_SETFL, flags);
    ::fcntl(out.ends[1], F_SETFL, flags);
  }
  std::thread writer([&] {
    EXPECT_FALSE(write_all(in.ends[1], text));
    in.close(1);
  });
  std::thread filter([&] {
    EXPECT_FALSE(redact_stream(in.ends[0], out.ends[1], Redactor::standard(), form));
    out.close(1);
  });
  std::string all;
  char buffer[65536];
  for (ssize_t n = 0; (n = ::read(out.ends[0], buffer, sizeof buffer)) > 0;)
    all.append(buffer, static_cast<std::size_t>(n));
  writer.join();
  filter.join();
  return all;
}

}  // namespace

TEST(RedactFilter, CopiesEverythingButSecrets) {
  std::string text, expected;
  for (int i = 0; i < 20000; ++i) {
    text += "{\"n\":" + std::to_string(i) + ",\"password\":\"hunter2\"}\n";
    expected += "{\"n\":" + std::to_string(i) + ",\"password\":\"REDACTED\"}\n";
  }
  EXPECT_EQ(filtered(text, AppLogForm::kAsWritten), expected);
}

TEST(RedactFilter, LosesNoUnfinishedLastLine) {
  EXPECT_EQ(filtered("one\ntwo token=abcdef", AppLogForm::kAsWritten), "one\ntwo token=REDACTED");
  EXPECT_NE(filtered("one\ntwo", AppLogForm::kJsonLines).find("\"message\":\"two\"}\n"), std::string::npos);
}

TEST(RedactFilter, WorksOnDescriptorsThatDoNotBlock) {
  EXPECT_EQ(filtered(std::string(1000000, 'x') + "\n", AppLogForm::kAsWritten, O_NONBLOCK).size(), 1000001u);
}

TEST(RedactFilter, SaysWhenItCannotWrite) {
  Pipe in;
  EXPECT_FALSE(write_all(in.ends[1], "x\n"));
  const int read_only = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  in.close(1);
  EXPECT_TRUE(redact_stream(in.ends[0], read_only, Redactor::standard(), AppLogForm::kAsWritten));
  ::close(read_only);
}
