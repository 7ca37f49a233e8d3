#include "http/chunked.hpp"

#include "unit/http/reading.hpp"

#include <gtest/gtest.h>
#include <string>

namespace gatehouse::http {
namespace {

struct Decoded {
  std::string body;
  std::string left;  // bytes behind the end
  bool done = false;
  std::string error = "none";
  std::string trailers;
  bool operator==(const Decoded&) const = default;
};

Decoded decode_in_steps(std::string_view bytes, std::size_t step, ChunkLimits limits) {
  ChunkedDecoder decoder(limits);
  Decoded result;
  while (!bytes.empty() && !decoder.done() && !decoder.error()) {
    const auto fed = decoder.feed(bytes.substr(0, step));
    result.body += fed.payload;
    bytes.remove_prefix(fed.consumed);
  }
  result.done = decoder.done();
  result.error = text(decoder.error());
  result.trailers = decoder.trailer_section();
  if (result.done) result.left = bytes;
  return result;
}

Decoded decode(std::string_view bytes, ChunkLimits limits = {}) {
  Decoded whole = decode_in_steps(bytes, bytes.size(), limits);
  EXPECT_EQ(whole, decode_in_steps(bytes, 1, limits)) << "differs when it comes byte by byte";
  EXPECT_EQ(whole, decode_in_steps(bytes, 5, limits)) << "differs when it comes in fives";
  return whole;
}

TEST(ChunkedDecoder, DecodesChunksAndLeavesWhatFollows) {
  const Decoded decoded = decode("3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nGET /");
  EXPECT_TRUE(decoded.done);
  EXPECT_EQ(decoded.body, "abc0123456789");
  EXPECT_EQ(decoded.left, "GET /");
}

TEST(ChunkedDecoder, HandsOutDataAsSoonAsItIsThere) {
  ChunkedDecoder decoder;
  const auto first = decoder.feed("5\r\nhe");
  EXPECT_EQ(first.payload, "he");
  EXPECT_EQ(first.consumed, 5u);
  EXPECT_EQ(decoder.feed("llo").payload, "llo");
  EXPECT_FALSE(decoder.done());
}

TEST(ChunkedDecoder, ConsumesNothingAfterTheEndOrAnError) {
  ChunkedDecoder done;
  EXPECT_EQ(done.feed("0\r\n\r\n0\r\n\r\n").consumed, 5u);
  EXPECT_EQ(done.feed("0\r\n\r\n").consumed, 0u);
  ChunkedDecoder broken;
  broken.feed("x");
  EXPECT_EQ(broken.feed("5\r\nhello").payload, "");
}

TEST(ChunkedDecoder, TakesTheLargestSizeAndNoLarger) {
  const auto error = [](std::string_view size) { return decode(std::string(size) + "\r\n").error; };
  EXPECT_EQ(error("ffffffffffffff"), "none");
  EXPECT_EQ(error("00ffffffffffffff"), "none");
  EXPECT_EQ(error("000ffffffffffffff"), "malformed_chunk");
  EXPECT_EQ(error("fffffffffffffff"), "malformed_chunk");
  EXPECT_EQ(error("ffffffffffffffff"), "malformed_chunk");
  EXPECT_EQ(error("10000000000000000"), "malformed_chunk");
}

TEST(ChunkedDecoder, RefusesAnEndlessSizeEarly) {
  ChunkedDecoder decoder;
  EXPECT_LE(decoder.feed(std::string(1000000, '0')).consumed, 17u);
  EXPECT_EQ(decoder.error(), HeadError::malformed_chunk);
}

TEST(ChunkedDecoder, BoundsExtensionsOfAllChunksTogether) {
  const ChunkLimits limits{10, 100};
  EXPECT_TRUE(decode("1;abcd\r\nx\r\n0;efgh\r\n\r\n", limits).done);
  EXPECT_EQ(decode("1;abcd\r\nx\r\n0;efghi\r\n\r\n", limits).error, "chunk_extension_too_long");
}

TEST(ChunkedDecoder, BoundsTrailersToTheByte) {
  const ChunkLimits limits{10, 8};
  EXPECT_TRUE(decode("0\r\nA: 123\r\n\r\n", {10, 8}).done);
  EXPECT_EQ(decode("0\r\nA: 123\r\n\r\n", limits).trailers, "A: 123\r\n");
  EXPECT_EQ(decode("0\r\nA: 1234\r\n\r\n", limits).error, "trailers_too_large");
  EXPECT_EQ(decode("0\r\n:\r\n:\r\n:\r\n:\r\n", limits).error, "trailers_too_large");
}

TEST(ChunkedDecoder, QuotesProtectNothingButTheirText) {
  EXPECT_EQ(decode("1;a=\"\\\"\r\"\r\nx\r\n0\r\n\r\n").error, "malformed_chunk");
  EXPECT_EQ(decode("1;a=\"b\\\\\"\r\nx\r\n0\r\n\r\n").body, "x");
  EXPECT_EQ(decode("1;a=\"\t\xe9\"\r\nx\r\n0\r\n\r\n").body, "x");
}

TEST(ChunkedDecoder, EveryPrefixOfABodyIsUnfinishedAndNoError) {
  const std::string_view body = "5;a=\"b\"\r\nhello\r\n3\r\nabc\r\n0;x\r\nT: 1\r\nU: 2\r\n\r\n";
  for (std::size_t size = 1; size < body.size(); ++size) {
    const Decoded part = decode(body.substr(0, size));
    EXPECT_FALSE(part.done) << size;
    EXPECT_EQ(part.error, "none") << size;
  }
  EXPECT_TRUE(decode(body).done);
}

TEST(ChunkedDecoder, NoSingleByteMayBeReplacedInWhatFramesABody) {
  // Where every byte counts, any other one is an error, or digits of another size, never a longer or shorter body that
  // passes.
  const std::string body = "2\r\nab\r\n0\r\n\r\n";
  for (const std::size_t at : {1u, 2u, 5u, 6u, 8u, 9u, 10u, 11u})
    for (int c = 0; c < 256; ++c) {
      std::string changed = body;
      changed[at] = static_cast<char>(c);
      if (changed == body) continue;
      const Decoded decoded = decode(changed);
      EXPECT_FALSE(decoded.done) << "byte " << at << " as " << c;
    }
}

std::string trailers(std::string_view section) {
  Arena arena;
  Headers fields(arena);
  if (!parse_trailers(section, fields)) return "malformed";
  std::string text;
  for (const Field& field : fields) text.append(field.name).append("=").append(field.value).append(";");
  return text;
}

TEST(ParseTrailers, KeepsOrdinaryFieldsInOrder) {
  EXPECT_EQ(trailers(""), "");
  EXPECT_EQ(trailers("Grpc-Status:\t0 \r\nX-Sum: a\r\nX-Sum:\r\n"), "Grpc-Status=0;X-Sum=a;X-Sum=;");
}

TEST(ParseTrailers, LeavesOutWhatAHeadMayNotBeToldLate) {
  for (const std::string_view name : {"Content-Length",
                                      "transfer-encoding",
                                      "HOST",
                                      "Authorization",
                                      "Cookie",
                                      "Set-Cookie",
                                      "X-Forwarded-For",
                                      "X-Forwarded-Ssl",
                                      "X-Request-Id",
                                      "Content-Type",
                                      "Content-Range",
                                      "If-None-Match",
                                      "Range",
                                      "Max-Forwards",
                                      "TE",
                                      "Trailer",
                                      "Origin",
                                      "Cache-Control",
                                      "Location",
                                      "Vary",
                                      "Access-Control-Allow-Origin",
                                      "Sec-Fetch-Site",
                                      "Www-Authenticate",
                                      "a_b",
                                      "a.b"})
    EXPECT_EQ(trailers(std::string(name) + ": x\r\nKept: y\r\n"), "Kept=y;") << name;
}

TEST(ParseTrailers, RefusesWhatIsNoField) {
  for (const std::string_view section :
       {"A\r\n", ": b\r\n", "A : b\r\n", " A: b\r\n", "A: b\r\n c\r\n", "A: b", "\r\n", "A b: c\r\n"})
    EXPECT_EQ(trailers(section), "malformed") << section;
}

}  // namespace
}  // namespace gatehouse::http
