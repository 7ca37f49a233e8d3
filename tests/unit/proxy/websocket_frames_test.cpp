#include "proxy/websocket_frames.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse::proxy {
namespace {

std::string frame(std::size_t payload, bool masked) {
  std::string text("\x82", 1);
  const unsigned mask = masked ? 0x80U : 0U;
  if (payload < 126) {
    text += static_cast<char>(mask | payload);
  } else if (payload < 65536) {
    text += static_cast<char>(mask | 126U);
    text += static_cast<char>(payload >> 8);
    text += static_cast<char>(payload & 0xffU);
  } else {
    text += static_cast<char>(mask | 127U);
    for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(static_cast<std::uint64_t>(payload) >> shift & 0xffU);
  }
  if (masked) text += "mask";
  return text + std::string(payload, 'x');
}

TEST(WebSocketFrames, EndWhereTheirLengthSaysInEverySpellingOfIt) {
  for (const std::size_t payload : {std::size_t{0}, std::size_t{1}, std::size_t{125}, std::size_t{126}, std::size_t{65535}, std::size_t{65536}})
    for (const bool masked : {false, true}) {
      WebSocketFrames frames;
      const std::string one = frame(payload, masked);
      EXPECT_EQ(frames.take(one + "\x81"), one.size()) << payload << masked;
      EXPECT_TRUE(frames.between());
    }
}

TEST(WebSocketFrames, AreFollowedByteByByte) {
  const std::string two = frame(300, true) + frame(0, false);
  WebSocketFrames frames;
  std::size_t ends = 0;
  for (const char byte : two) {
    EXPECT_EQ(frames.take({&byte, 1}), 1U);
    if (frames.between()) ++ends;
  }
  EXPECT_EQ(ends, 2U);
}

TEST(WebSocketFrames, AreNotBetweenInTheMiddleOfAHeaderOrAPayload) {
  WebSocketFrames frames;
  frames.take("\x82");
  EXPECT_FALSE(frames.between());
  frames.take("\x02");
  EXPECT_FALSE(frames.between());
  frames.take("x");
  EXPECT_FALSE(frames.between());
  frames.take("y");
  EXPECT_TRUE(frames.between());
}

TEST(GoodbyeFrame, SaysGoingAwayPlainToAClient) {
  const GoodbyeFrame goodbye(false);
  EXPECT_EQ(goodbye.bytes(), std::string_view("\x88\x02\x03\xe9", 4));
}

TEST(GoodbyeFrame, SaysGoingAwayMaskedToTheApp) {
  const GoodbyeFrame goodbye(true);
  const auto bytes = goodbye.bytes();
  ASSERT_EQ(bytes.size(), 8U);
  EXPECT_EQ(bytes.substr(0, 2), std::string_view("\x88\x82", 2));
  EXPECT_EQ(static_cast<unsigned char>(bytes[6] ^ bytes[2]), 0x03);
  EXPECT_EQ(static_cast<unsigned char>(bytes[7] ^ bytes[3]), 0xe9);
}

}  // namespace
}  // namespace gatehouse::proxy
