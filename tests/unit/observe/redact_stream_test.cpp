#include "observe/redact_stream.hpp"

#include <array>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

namespace gatehouse {
namespace {

std::string redacted(std::initializer_list<std::string_view> pieces) {
  const auto redactor = Redactor::standard();
  LineRedactor lines(*redactor);
  std::string out;
  for (const auto piece : pieces) lines.feed(piece, out);
  lines.finish(out);
  return out;
}

TEST(LineRedactor, HidesASecretAndKeepsTheRest) {
  const std::string out = redacted({"login user=ada password=hunter2-hunter2\nnext\n"});
  EXPECT_EQ(out.find("hunter2"), std::string::npos) << out;
  EXPECT_NE(out.find("user=ada"), std::string::npos) << out;
  EXPECT_TRUE(out.ends_with("\nnext\n")) << out;
}

TEST(LineRedactor, FindsASecretThatComesInTwoReads) {
  const std::string out = redacted({"password=hun", "ter2-hunter2\n"});
  EXPECT_EQ(out.find("ter2"), std::string::npos) << out;
}

TEST(LineRedactor, LosesNoPartialLastLine) { EXPECT_EQ(redacted({"one\ntw", "o"}), "one\ntwo"); }

TEST(LineRedactor, GivesALineOfManyMegabytesBackInPieces) {
  const auto redactor = Redactor::standard();
  LineRedactor lines(*redactor);
  const std::string words = "some words of a very long line, ";
  std::string piece;
  while (piece.size() < 65536) piece += words;
  std::string out;
  std::size_t fed = 0;
  std::size_t most = 0;
  for (int i = 0; i < 64; ++i, fed += piece.size()) {
    lines.feed(piece, out);
    most = std::max(most, fed + piece.size() - out.size());
  }
  lines.finish(out);
  EXPECT_EQ(out.size(), fed);
  EXPECT_LE(most, LineRedactor::kLongestLine + piece.size());
}

TEST(RedactStream, CopiesEverythingAndEndsAtTheEnd) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  ASSERT_EQ(::pipe(in.data()), 0);
  ASSERT_EQ(::pipe(out.data()), 0);
  const auto redactor = Redactor::standard();
  bool written = false;
  std::thread filter([&] {
    written = redact_stream(in[0], out[1], *redactor);
    ::close(out[1]);
  });
  const std::string text = "{\"password\":\"correct-horse\",\"user\":\"ada\"}\nlast";
  ASSERT_EQ(::write(in[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(in[1]);
  std::string got;
  std::array<char, 256> bytes{};
  for (ssize_t size = 0; (size = ::read(out[0], bytes.data(), bytes.size())) > 0;) got.append(bytes.data(), static_cast<std::size_t>(size));
  filter.join();
  EXPECT_TRUE(written);
  EXPECT_EQ(got.find("correct-horse"), std::string::npos) << got;
  EXPECT_TRUE(got.ends_with("\nlast")) << got;
  ::close(in[0]);
  ::close(out[0]);
}

}  // namespace
}  // namespace gatehouse
