#include "http/syntax.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace gatehouse::http {
namespace {

TEST(CharClasses, TokensHoldExactlyTheCharactersOfRfc9110) {
  const std::string_view allowed = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int c = 0; c < 256; ++c)
    EXPECT_EQ(is(kToken, static_cast<char>(c)), allowed.find(static_cast<char>(c)) != std::string_view::npos) << c;
}

TEST(CharClasses, FieldValuesHoldNoControlByteButTheTab) {
  for (int c = 0; c < 256; ++c)
    EXPECT_EQ(is(kFieldByte, static_cast<char>(c)), c == '\t' || (c >= 0x20 && c != 0x7f)) << c;
}

TEST(Token, IsNeverEmpty) {
  EXPECT_TRUE(is_token("a"));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("a b"));
}

TEST(Trim, TakesSpacesAndTabsAndNothingElse) {
  EXPECT_EQ(trim(" \t a b \t"), "a b");
  EXPECT_EQ(trim("\va\f"), "\va\f");
  EXPECT_EQ(trim("\xa0"), "\xa0");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(ParseDecimal, ReadsDigitsOnlyAndNeverOverflows) {
  EXPECT_EQ(parse_decimal("0"), 0u);
  EXPECT_EQ(parse_decimal("0042"), 42u);
  EXPECT_EQ(parse_decimal("9999999999999999999"), 9999999999999999999u);
  for (const std::string_view text : {"", "+1", "-1", " 1", "1 ", "0x1", "1.0", "1e3", "1_0", "\xb2",
                                      "10000000000000000000", "99999999999999999999999999"})
    EXPECT_FALSE(parse_decimal(text)) << text;
}

TEST(FieldBytes, EndAtTheFirstByteThatIsNoneWhereverItStands) {
  for (std::size_t size = 1; size <= 20; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int c = 0; c < 256; ++c)
        for (const char other : {'x', ' ', '\t', '\xff', '\x80', '\x20'}) {
          std::string text(size, other);
          text[at] = static_cast<char>(c);
          ASSERT_EQ(field_bytes(text), is(kFieldByte, text[at]) ? size : at) << c << ' ' << size << ' ' << at;
        }
  EXPECT_EQ(field_bytes(""), 0u);
}

TEST(HexValue, KnowsBothCases) {
  unsigned expected = 0;
  for (const char c : std::string_view("0123456789abcdef")) EXPECT_EQ(hex_value(c), expected++);
  expected = 10;
  for (const char c : std::string_view("ABCDEF")) EXPECT_EQ(hex_value(c), expected++);
}

TEST(ForEachElement, LeavesEmptyElementsOut) {
  std::vector<std::string> elements;
  const auto keep = [&](std::string_view element) {
    elements.emplace_back(element);
    return true;
  };
  EXPECT_TRUE(for_each_element(" ,a,, \tb\t ,c d,", keep));
  EXPECT_EQ(elements, (std::vector<std::string>{"a", "b", "c d"}));
  EXPECT_TRUE(for_each_element("", keep));
  EXPECT_EQ(elements.size(), 3u);
}

TEST(ForEachElement, StopsWhenTold) {
  int calls = 0;
  EXPECT_FALSE(for_each_element("a,b,c", [&](std::string_view) { return ++calls < 2; }));
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace gatehouse::http
