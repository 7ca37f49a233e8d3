#include "http/proxy_protocol.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse {
namespace {

using namespace std::string_literals;

const std::string kV2 = "\r\n\r\n\0\r\nQUIT\n"s;

std::string v2(char command, char family, const std::string& rest) {
  return kV2 + command + family + static_cast<char>(rest.size() >> 8) + static_cast<char>(rest.size()) + rest;
}

std::string record(char type, const std::string& value) {
  return type + "\0"s + static_cast<char>(value.size()) + value;
}

const std::string kTcp4 = "\xc0\x00\x02\x01\x0a\x00\x00\x01\x04\xd2\x01\xbb"s;

// Feeds exactly as many bytes as the parser asks for, as a reader must that leaves the rest to TLS.
result<ProxyHeaderStep> parse(const std::string& bytes) {
  std::size_t given = 0;
  for (;;) {
    const auto step = parse_proxy_header(std::string_view(bytes).substr(0, given));
    if (!step || step->header) return step;
    EXPECT_GT(step->length, given);
    if (step->length > bytes.size()) return step;
    given = step->length;
  }
}

ProxyHeader header(const std::string& bytes) {
  const auto step = parse(bytes + "GET / HTTP/1.1\r\n");
  EXPECT_TRUE(step && step->header) << bytes;
  EXPECT_EQ(step->length, bytes.size());
  return step && step->header ? *step->header : ProxyHeader{};
}

void expect_refused(const std::string& bytes, errc why = errc::malformed) {
  const auto step = parse_proxy_header(bytes);
  ASSERT_FALSE(step) << bytes;
  EXPECT_EQ(step.error(), make_error_code(why)) << bytes;
}

TEST(ProxyProtocol, ReadsVersion1) {
  const auto v4 = header("PROXY TCP4 192.0.2.1 10.0.0.1 1234 443\r\n").endpoints.value();
  EXPECT_EQ(format_address(v4.source), "192.0.2.1");
  EXPECT_EQ(format_address(v4.destination), "10.0.0.1");
  EXPECT_EQ(v4.source_port, 1234);
  EXPECT_EQ(v4.destination_port, 443);
  const auto v6 = header("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n").endpoints.value();
  EXPECT_EQ(format_address(v6.source), "2001:db8::1");
}

TEST(ProxyProtocol, UnknownMeansThatThePeerCounts) {
  EXPECT_FALSE(header("PROXY UNKNOWN\r\n").endpoints);
  EXPECT_FALSE(header("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n").endpoints);
}

TEST(ProxyProtocol, RefusesVersion1LinesWithASecondReading) {
  for (const auto* line : {"PROXY TCP4 192.0.2.1 10.0.0.1 1234 443\n",
                           "PROXY TCP4  192.0.2.1 10.0.0.1 1234 443\r\n",
                           "PROXY TCP4 192.0.2.1 10.0.0.1 1234 443 \r\n",
                           "PROXY TCP4 192.0.2.1 10.0.0.1 1234\r\n",
                           "PROXY TCP4 192.0.2.1 10.0.0.1 1234 443 5\r\n",
                           "PROXY TCP4 192.0.2.1 10.0.0.1 01234 443\r\n",
                           "PROXY TCP4 192.0.2.1 10.0.0.1 65536 443\r\n",
                           "PROXY TCP4 192.0.2.1 10.0.0.1 -1 443\r\n",
                           "PROXY TCP4 192.0.2.1 10.0.0.1 +1 443\r\n",
                           "PROXY TCP4 192.0.2.01 10.0.0.1 1234 443\r\n",
                           "PROXY TCP4 ::1 ::1 1234 443\r\n",
                           "PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n",
                           "PROXY TCP6 ::1 10.0.0.1 1 2\r\n",
                           "PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n",
                           "PROXY tcp4 192.0.2.1 10.0.0.1 1 2\r\n",
                           "proxy TCP4 192.0.2.1 10.0.0.1 1 2\r\n",
                           "PROXY\r\n",
                           "PROXY \r\n",
                           "PROXY UNKNOWNX\r\n",
                           "PROXY UNKNOWN\r\r\n",
                           "PROXY UNKNOWN a\rb\r\n",
                           "GET / HTTP/1.1\r\n",
                           "\x16\x03\x01"})
    expect_refused(line);
}

TEST(ProxyProtocol, AVersion1LineHasAtMost107Bytes) {
  EXPECT_FALSE(header("PROXY UNKNOWN " + std::string(107 - 16, 'x') + "\r\n").endpoints);
  expect_refused("PROXY UNKNOWN " + std::string(108 - 16, 'x') + "\r\n");
  expect_refused("PROXY UNKNOWN " + std::string(1000, 'x'));
}

TEST(ProxyProtocol, ReadsVersion2) {
  const auto v4 = header(v2(0x21, 0x11, kTcp4)).endpoints.value();
  EXPECT_EQ(format_address(v4.source), "192.0.2.1");
  EXPECT_EQ(format_address(v4.destination), "10.0.0.1");
  EXPECT_EQ(v4.source_port, 1234);
  EXPECT_EQ(v4.destination_port, 443);
  const auto v6 = header(
      v2(0x21, 0x21,
         "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s + std::string(15, '\0') + "\x01\x00\x50\x00\x51"s));
  EXPECT_EQ(format_address(v6.endpoints.value().source), "2001:db8::1");
  EXPECT_EQ(v6.endpoints->source_port, 80);
}

TEST(ProxyProtocol, LocalAndAddressesThatAreNoTcpMeanThatThePeerCounts) {
  EXPECT_FALSE(header(v2(0x20, 0x00, "")).endpoints);
  EXPECT_FALSE(header(v2(0x20, 0x11, "anything at all")).endpoints);
  EXPECT_FALSE(header(v2(0x21, 0x00, "")).endpoints);
  EXPECT_FALSE(header(v2(0x21, 0x31, std::string(216, 'u'))).endpoints);
  EXPECT_FALSE(header(v2(0x21, 0x12, kTcp4)).endpoints);
}

TEST(ProxyProtocol, TellsWhetherTheClientUsedTls) {
  EXPECT_EQ(header(v2(0x21, 0x11, kTcp4)).client_tls, std::nullopt);
  EXPECT_EQ(header(v2(0x21, 0x11, kTcp4 + record(0x20, "\x01\0\0\0\0"s))).client_tls, true);
  EXPECT_EQ(header(v2(0x21, 0x11, kTcp4 + record(0x05, "id") + record(0x20, "\0\0\0\0\0"s))).client_tls, false);
}

// Whole header with zeros in place of the checksum, and the bitwise CRC-32C of RFC 3720 appendix B.4.
TEST(ProxyProtocol, ChecksTheChecksumWhereThereIsOne) {
  const auto with = [](const std::string& checksum) { return v2(0x21, 0x11, kTcp4 + record(0x03, checksum)); };
  std::uint32_t crc = 0xffffffff;
  for (const char c : with("\0\0\0\0"s)) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
  }
  crc = ~crc;
  std::string checksum;
  for (const int shift : {24, 16, 8, 0}) checksum += static_cast<char>(crc >> shift);
  EXPECT_TRUE(header(with(checksum)).endpoints);
  checksum[0] = static_cast<char>(checksum[0] ^ 1);
  expect_refused(with(checksum));
  expect_refused(with("\0\0"s));
}

TEST(ProxyProtocol, RefusesVersion2HeadersThatLie) {
  expect_refused(v2(0x22, 0x11, kTcp4));
  expect_refused(v2(0x11, 0x11, kTcp4));
  expect_refused(v2(0x21, 0x41, kTcp4));
  expect_refused(v2(0x21, 0x13, kTcp4));
  expect_refused(v2(0x21, 0x11, kTcp4.substr(1)));
  expect_refused(v2(0x21, 0x21, kTcp4));
  expect_refused(v2(0x21, 0x11, kTcp4 + "\x05"));
  expect_refused(v2(0x21, 0x11, kTcp4 + "\x05\x00\x09short"s));
  expect_refused(v2(0x21, 0x11, kTcp4 + record(0x20, "\x01"s)));
  expect_refused("\r\n\r\n\0\r\nQUIX\n"s);
}

TEST(ProxyProtocol, RefusesAHeaderLongerThanItsBoundBeforeReadingIt) {
  expect_refused(kV2 + "\x21\x11\xff\xff"s, errc::too_large);
  EXPECT_TRUE(header(v2(0x20, 0x00, std::string(200, 'x'))).endpoints == std::nullopt);
}

TEST(ProxyProtocol, NeverAsksForBytesBehindTheHeader) {
  for (const auto& whole : {"PROXY UNKNOWN\r\n"s, "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n"s, v2(0x21, 0x11, kTcp4)})
    for (std::size_t given = 0; given < whole.size(); ++given) {
      const auto step = parse_proxy_header(std::string_view(whole).substr(0, given));
      ASSERT_TRUE(step) << given;
      EXPECT_FALSE(step->header);
      EXPECT_GT(step->length, given);
      // Before the version is known the shortest header of both counts.
      EXPECT_LE(step->length, whole.size()) << given;
    }
}

}  // namespace
}  // namespace gatehouse
