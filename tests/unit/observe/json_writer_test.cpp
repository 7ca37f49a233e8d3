#include "observe/json_writer.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <limits>
#include <random>

using namespace gatehouse;
using namespace std::chrono_literals;

namespace {

std::string escaped(std::string_view value, std::size_t limit = kJsonValueLimit) {
  std::string out;
  append_escaped(out, value, limit);
  return out;
}

std::string written(std::string_view value, std::size_t limit = kJsonValueLimit) {
  std::string out;
  JsonWriter json(out);
  json.text("k", value, limit);
  json.finish();
  return out;
}

// What a strict parser makes of the value; throws when the line is not JSON.
std::string read_back(std::string_view line) {
  return std::string(boost::json::parse(line.substr(0, line.size() - 1)).as_object().at("k").as_string());
}

}  // namespace

TEST(JsonWriter, WritesOneObjectOnOneLine) {
  std::string out = "before\n";
  JsonWriter json(out);
  json.literal("method", "GET");
  json.number("status", 200);
  json.number("size", std::uint64_t{18446744073709551615u});
  json.number("delta", std::int64_t{-5});
  json.number("ratio", 0.5);
  json.boolean("reused", true);
  json.seconds("took", 1234567us);
  json.time("at", std::chrono::system_clock::time_point(1782909296789ms));
  json.open("nested");
  json.text("a", "b");
  json.open("deeper");
  json.close();
  json.close();
  json.boolean("last", false);
  json.finish();
  EXPECT_EQ(out,
            "before\n"
            R"({"method":"GET","status":200,"size":18446744073709551615,"delta":-5,"ratio":0.5,"reused":true,)"
            R"("took":1.234567,"at":"2026-07-01T12:34:56.789Z","nested":{"a":"b","deeper":{}},"last":false})"
            "\n");
}

TEST(JsonWriter, LeavesTheStringAloneWhenItIsNotFinished) {
  std::string out = "before";
  {
    JsonWriter json(out);
    json.text("a", std::string(5000, 'x'));
  }
  EXPECT_EQ(out, "before");
}

TEST(JsonWriter, FinishClosesWhatIsOpen) {
  std::string out;
  JsonWriter json(out);
  json.open("a");
  json.open("b");
  json.finish();
  EXPECT_EQ(out, "{\"a\":{\"b\":{}}}\n");
}

TEST(JsonWriter, CloseNeverClosesTheLineItself) {
  std::string out;
  JsonWriter json(out);
  json.close();
  json.text("a", "b");
  json.finish();
  EXPECT_EQ(out, "{\"a\":\"b\"}\n");
}

TEST(JsonWriter, EscapesWhatJsonDemands) {
  EXPECT_EQ(escaped("a\"b\\c\nd\re\tf"), R"(a\"b\\c\nd\re\tf)");
  EXPECT_EQ(escaped(std::string_view("\0\x01\x1b[31m\x7f", 8)), R"(\u0000\u0001\u001b[31m\u007f)");
}

TEST(JsonWriter, EscapesWhatEndsALineOrSteersATerminal) {
  EXPECT_EQ(escaped("a\u2028b\u2029c\u0085d\u009be\u202ef\u2066g\ufeffh"),
            "a\\u2028b\\u2029c\\u0085d\\u009be\\u202ef\\u2066g\\ufeffh");
}

TEST(JsonWriter, KeepsValidUtf8) {
  EXPECT_EQ(escaped("žluťoučký кот 猫 🐈 \u07ff\u0800\ud7ff\ue000\U0010ffff"),
            "žluťoučký кот 猫 🐈 \u07ff\u0800\ud7ff\ue000\U0010ffff");
}

TEST(JsonWriter, ReplacesEachByteThatIsNotUtf8) {
  EXPECT_EQ(escaped("a\xff z"), "a\xEF\xBF\xBD z");
  EXPECT_EQ(escaped("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // surrogate
  EXPECT_EQ(escaped("\xF4\x90\x80\x80").size(), 12u);                          // above U+10FFFF
  EXPECT_EQ(escaped("\xE2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // cut short
}

TEST(JsonWriter, FindsEverySpecialByteAtEveryPositionOfABlock) {
  for (std::size_t length = 1; length < 50; ++length)
    for (std::size_t at = 0; at < length; ++at)
      for (const char special : {'"', '\\', '\n', '\x01', '\x1f', '\x7f', '\xff'}) {
        std::string value(length, 'x');
        value[at] = special;
        const std::string expected = std::string(at, 'x') + escaped({&special, 1}) + std::string(length - at - 1, 'x');
        ASSERT_EQ(escaped(value), expected) << length << " " << at;
        ASSERT_EQ(written(value), "{\"k\":\"" + expected + "\"}\n");
      }
}

TEST(JsonWriter, CutsLongValuesBetweenCodePointsAndSaysSo) {
  EXPECT_EQ(escaped("abcdef", 4), "abcd…[2 bytes cut]");
  EXPECT_EQ(escaped("abcdef", 6), "abcdef");
  EXPECT_EQ(escaped("abc🐈", 3), "abc…[4 bytes cut]");
  for (std::size_t limit = 3; limit < 7; ++limit) EXPECT_EQ(escaped("abc🐈x", limit), "abc…[5 bytes cut]");
  EXPECT_EQ(escaped("abc🐈x", 7), "abc🐈…[1 bytes cut]");
  EXPECT_EQ(written("abcdef", 4), "{\"k\":\"abcd…[2 bytes cut]\"}\n");
}

TEST(JsonWriter, WritesNumbersThatJsonLacksAsNull) {
  std::string out;
  JsonWriter json(out);
  json.number("a", std::numeric_limits<double>::infinity());
  json.number("b", std::numeric_limits<double>::quiet_NaN());
  json.finish();
  EXPECT_EQ(out, "{\"a\":null,\"b\":null}\n");
}

TEST(JsonWriter, EscapesAndCutsKeysThatAreData) {
  std::string out;
  JsonWriter json(out);
  json.text_entry(std::string_view("x\"y\n"), "1");
  json.number_entry(std::string_view("n"), std::int64_t{1});
  json.boolean_entry(std::string_view("b"), true);
  json.number_entry(std::string_view("d"), 1.5);
  json.number_entry(std::string_view("u"), std::uint64_t{2});
  json.seconds_entry(std::string_view("s"), 3s);
  json.finish();
  EXPECT_EQ(out, "{\"x\\\"y\\n\":\"1\",\"n\":1,\"b\":true,\"d\":1.5,\"u\":2,\"s\":3.000000}\n");
}

TEST(JsonWriter, IsValidJsonForAnyBytes) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string value(random() % 60, '\0');
    for (char& c : value)
      c = static_cast<char>(random() % 3 ? random() % 256 : "\"\\\n\xe2\x80\xa8\xf0\x9f"[random() % 9]);
    const std::string line = written(value, random() % 70);
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    ASSERT_NO_THROW(read_back(line)) << line;
  }
}

TEST(JsonWriter, GivesBackWhatWentInWhenItWasText) {
  std::mt19937 random(2);
  for (int round = 0; round < 5000; ++round) {
    std::string value;
    for (auto i = random() % 40; i > 0; --i) {
      constexpr std::string_view pieces[] = {"a", "\"", "\\", "\n", "é", "\u2028", "🐈", "\x1b", "plain text here"};
      value += pieces[random() % std::size(pieces)];
    }
    ASSERT_EQ(read_back(written(value)), value);
  }
}

TEST(Rfc3339, CoversTheEdgesOfTheCalendar) {
  const auto text = [](std::chrono::system_clock::time_point time) {
    char out[24];
    return std::string(out, static_cast<std::size_t>(write_rfc3339(out, time) - out));
  };
  using clock = std::chrono::system_clock;
  EXPECT_EQ(text(clock::time_point{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(text(clock::time_point(-1ms)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(text(clock::time_point(951782400s)), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(text(clock::time_point(1709251199999ms)), "2024-02-29T23:59:59.999Z");
  EXPECT_EQ(text(clock::time_point::max()).size(), 24u);
  EXPECT_EQ(text(clock::time_point::min()).size(), 24u);
}

TEST(Seconds, HaveSixDigitsAndAreNeverNegative) {
  const auto text = [](std::chrono::nanoseconds value) {
    char out[32];
    return std::string(out, static_cast<std::size_t>(write_seconds(out, value) - out));
  };
  EXPECT_EQ(text(0ns), "0.000000");
  EXPECT_EQ(text(999ns), "0.000000");
  EXPECT_EQ(text(1500ns), "0.000001");
  EXPECT_EQ(text(61s), "61.000000");
  EXPECT_EQ(text(-5s), "0.000000");
  EXPECT_EQ(text(std::chrono::nanoseconds::max()), "9223372036.854775");
}
