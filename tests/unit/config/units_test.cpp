#include "config/units.hpp"

#include <gtest/gtest.h>
#include <random>
#include <regex>

namespace gatehouse {
namespace {

TEST(ParseDuration, TakesWholeNumbersWithUnits) {
  const std::pair<const char*, std::int64_t> cases[] = {{"0s", 0},
                                                        {"250ms", 250},
                                                        {"5s", 5000},
                                                        {"1m30s", 90'000},
                                                        {"1h", 3'600'000},
                                                        {"7d", 604'800'000},
                                                        {"1d2h3m4s5ms", 93'784'005},
                                                        {"3650d", 315'360'000'000}};
  for (const auto& [text, milliseconds] : cases) {
    const Quantity quantity = parse_duration(text);
    EXPECT_FALSE(quantity.problem) << text << " " << *quantity.problem;
    EXPECT_EQ(quantity.amount, milliseconds) << text;
  }
}

TEST(ParseDuration, RefusesEverythingElse) {
  for (const char* text : {"",
                           "5",
                           "s",
                           "-5s",
                           "+5s",
                           "5 s",
                           "5S",
                           "5sec",
                           "1.5s",
                           "1s1s",
                           "1s1m",
                           "1ms1s",
                           "3651d",
                           "5s ",
                           " 5s",
                           "1h-1m",
                           "9223372036854775808ms",
                           "99999999999999999999999999999s",
                           "3650d1ms",
                           "\xC2\xB5s",
                           "1e3s"})
    EXPECT_TRUE(parse_duration(text).problem) << text;
}

TEST(ParseBytes, TakesWholeNumbersWithUnits) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"0B", 0},     {"512B", 512},      {"16KiB", 16384},       {"10MiB", 10485760},      {"1GiB", 1 << 30},
      {"1kB", 1000}, {"2MB", 2'000'000}, {"3GB", 3'000'000'000}, {"1048576GiB", 1LL << 50}};
  for (const auto& [text, bytes] : cases) {
    const Quantity quantity = parse_bytes(text);
    EXPECT_FALSE(quantity.problem) << text << " " << *quantity.problem;
    EXPECT_EQ(quantity.amount, bytes) << text;
  }
}

TEST(ParseBytes, RefusesEverythingElse) {
  for (const char* text : {"", "10", "10M", "10K", "10mb", "10 MiB", "-1B", "1.5MiB", "MiB", "1048577GiB",
                           "99999999999999999999B", "1KiB1B"})
    EXPECT_TRUE(parse_bytes(text).problem) << text;
}

TEST(ParseInteger, TakesDecimalDigitsAlone) {
  EXPECT_EQ(parse_integer("0").amount, 0);
  EXPECT_EQ(parse_integer("-12").amount, -12);
  EXPECT_EQ(parse_integer("9223372036854775807").amount, std::numeric_limits<std::int64_t>::max());
  for (const char* text :
       {"", "-", "+1", "01", "-01", "00", "0x1", "0o1", "1_0", "1e3", "1.0", " 1", "1 ", "9223372036854775808", "one"})
    EXPECT_TRUE(parse_integer(text).problem) << text;
}

TEST(FormatDuration, IsReadBackAsTheSameDuration) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 5000; ++i) {
    const std::int64_t amount = static_cast<std::int64_t>(random() % 315'360'000'001) >> (random() % 39);
    const std::string text = format_duration(std::chrono::milliseconds(amount));
    EXPECT_EQ(parse_duration(text).amount, amount) << text;
  }
}

TEST(FormatBytes, IsReadBackAsTheSameSize) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 5000; ++i) {
    const std::int64_t amount = static_cast<std::int64_t>(random() % (1LL << 50)) >> (random() % 50) << (random() % 10);
    if (amount > (1LL << 50)) continue;
    const std::string text = format_bytes(static_cast<Bytes>(amount));
    EXPECT_EQ(parse_bytes(text).amount, amount) << text;
  }
}

// An editor must not mark what the loader takes, and should mark what it refuses for its shape.
TEST(UnitPatterns, AgreeWithTheParsers) {
  const std::regex duration{std::string(kDurationPattern)}, bytes{std::string(kBytesPattern)};
  for (const char* text : {"", "5", "0s", "250ms", "1m30s", "1d2h3m4s5ms", "1s1m", "5sec", "1.5s", "-1s", "ms", "1s1s"})
    EXPECT_EQ(std::regex_search(text, duration), !parse_duration(text).problem) << text;
  for (const char* text : {"", "5", "0B", "10MiB", "10M", "1kB", "10 MiB", "1.5MiB", "KiB"})
    EXPECT_EQ(std::regex_search(text, bytes), !parse_bytes(text).problem) << text;
}

}  // namespace
}  // namespace gatehouse
