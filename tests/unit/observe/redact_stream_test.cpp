#include "observe/redact_stream.hpp"

#include <gtest/gtest.h>

#include <random>

using namespace gatehouse;

namespace {

std::string streamed(std::string_view text, std::size_t piece, const RedactOptions& options = {}) {
  std::string problem, out;
  RedactStream stream(Redactor::make(options, problem));
  for (std::size_t i = 0; i < text.size(); i += piece) stream.feed(text.substr(i, piece), out);
  stream.finish(out);
  return out;
}

const std::string kLog =
    "plain line\n"
    "{\"level\":\"info\",\"password\":\"hunter2 with spaces\",\"n\":1}\n"
    "GET /a?access_token=abcdef0123456789&b=1 HTTP/1.1\n"
    "Authorization: Bearer abcdefghijklmnop0123456789\n"
    "Cookie: sid=abcdef; theme=dark\n"
    "-----BEGIN PRIVATE KEY-----\nMIIfakefakefake0\nfakefakefakefake\n-----END PRIVATE KEY-----\n"
    "key eyJhbGciOiJub25lIn0.eyJzdWIiOiJmYWtlIn0.ZmFrZQ and more\n"
    "paid with 4242 4242 4242 4242 today\n"
    "postgres://app:hunter2@db/app\n"
    "{\"credentials\":{\"user\":\"a-user\",\"n\":123},\"m\":\"x\"}\n"
    "last line without an end token=abcdefg";

const std::string kRedactedLog =
    "plain line\n"
    "{\"level\":\"info\",\"password\":\"REDACTED\",\"n\":1}\n"
    "GET /a?access_token=REDACTED&b=1 HTTP/1.1\n"
    "Authorization: Bearer REDACTED\n"
    "Cookie: sid=REDACTED; theme=REDACTED\n"
    "-----BEGIN PRIVATE KEY-----REDACTED-----END PRIVATE KEY-----\n"
    "key REDACTED and more\n"
    "paid with REDACTED today\n"
    "postgres://REDACTED:REDACTED@db/app\n"
    "{\"credentials\":{\"user\":\"REDACTED\",\"n\":\"REDACTED\"},\"m\":\"x\"}\n"
    "last line without an end token=REDACTED";

}  // namespace

TEST(RedactStream, FindsWhatPiecesOfAnySizeCutApart) {
  for (std::size_t piece = 1; piece <= kLog.size(); ++piece)
    ASSERT_EQ(streamed(kLog, piece), kRedactedLog) << "in pieces of " << piece;
}

TEST(RedactStream, FindsWhatIsCutAtAnyPlace) {
  for (std::size_t cut = 0; cut <= kLog.size(); ++cut) {
    std::string out;
    RedactStream stream(Redactor::standard());
    stream.feed(std::string_view(kLog).substr(0, cut), out);
    stream.feed(std::string_view(kLog).substr(cut), out);
    stream.finish(out);
    ASSERT_EQ(out, kRedactedLog) << "cut at " << cut;
  }
}

TEST(RedactStream, TellsWholeLinesAtOnce) {
  std::string out;
  RedactStream stream(Redactor::standard());
  stream.feed("one line\npassword=hunter2\n", out);
  EXPECT_EQ(out, "one line\npassword=REDACTED\n");
}

TEST(RedactStream, KeepsLittleOfAnEndlessLine) {
  RedactStream stream(Redactor::standard());
  std::string out;
  const std::string piece(10000, 'x');
  std::size_t fed = 0;
  for (int i = 0; i < 1000; ++i) {
    stream.feed(piece, out);
    fed += piece.size();
    ASSERT_GE(out.size() + 2 * RedactStream::kMostKept, fed);
  }
  stream.finish(out);
  EXPECT_EQ(out.size(), fed);
}

TEST(RedactStream, HidesEndlessSecretsAsTheyCome) {
  const std::string endless(1000000, 's');
  for (const auto& [before, after] : std::initializer_list<std::pair<std::string, std::string>>{
           {"{\"password\":\"", "\",\"n\":1}\n"},
           {"{\"m\":\"{\\\"password\\\":\\\"", "\\\",\\\"n\\\":1}\"}\n"},
           {"GET /?token=", "&n=1\n"},
           {"X-Api-Key: ", "\nn=1\n"},
           {"{\"secrets\":{\"a\":\"", "\"}}\nn=1\n"},
           {"<password>", "</password>\nn=1\n"},
           {"Authorization: Bearer ", "\nn=1\n"}}) {
    for (const std::size_t piece : {std::size_t{1000}, std::size_t{65536}, std::size_t{2000000}}) {
      const std::string out = streamed(before + endless + after, piece);
      EXPECT_EQ(out.find("ssss"), std::string::npos) << before << " in pieces of " << piece;
      EXPECT_NE(out.find("n"), std::string::npos) << before;
    }
    // What stands behind the secret is told again.
    const std::string out = streamed(before + endless + after, 65536);
    EXPECT_NE(out.find(after.find("n=1") != std::string::npos ? "n=1" : "1}"), std::string::npos) << out.substr(0, 300);
  }
}

TEST(RedactStream, EndsAValueWithItsLine) {
  EXPECT_EQ(streamed("password: 'tis not closed\nnext line\n", 7), "password: 'REDACTED\nnext line\n");
}

TEST(RedactStream, AppliesPatternsToWholeLines) {
  RedactOptions options;
  options.patterns = {"id-[0-9]+", "name=(\\w+)"};
  for (std::size_t piece = 1; piece < 30; ++piece)
    EXPECT_EQ(streamed("a id-12345 b\nname=ann x\nid-9", piece, options), "a REDACTED b\nname=REDACTED x\nREDACTED");
}

TEST(RedactStream, IsLinearInWhatIsKept) {
  // A value that never ends, a byte at a time: quadratic work would take minutes here.
  std::string out;
  RedactStream stream(Redactor::standard());
  stream.feed("password=", out);
  for (int i = 0; i < 300000; ++i) stream.feed("x", out);
  stream.finish(out);
  EXPECT_EQ(out.find('x'), std::string::npos);
}

TEST(RedactStream, TellsAWholeLineWithoutWaitingForTheEndOfTheNext) {
  RedactStream stream(Redactor::standard());
  std::string out;
  stream.feed("a password=hunter2 ok\nand the next, tok", out);
  EXPECT_EQ(out, "a password=REDACTED ok\n");
  stream.feed("en=hunter3", out);
  stream.finish(out);
  EXPECT_EQ(out, "a password=REDACTED ok\nand the next, token=REDACTED");
}
