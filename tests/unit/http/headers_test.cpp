#include <gatehouse/message.hpp>

#include <gtest/gtest.h>
#include <string>

namespace gatehouse {
namespace {

std::string joined(const Headers& headers) {
  std::string text;
  for (const Field& field : headers) text.append(field.name).append("=").append(field.value).append(";");
  return text;
}

class HeadersTest : public testing::Test {
 protected:
  Arena arena_{256};
  Headers headers_{arena_};
};

TEST_F(HeadersTest, FindsTheFirstFieldOfANameInAnyCase) {
  headers_.add("X-A", "1");
  headers_.add("x-a", "2");
  headers_.add("Host", "app");
  EXPECT_EQ(headers_.find("X-a")->value, "1");
  EXPECT_EQ(headers_.find("hOsT")->value, "app");
  EXPECT_EQ(headers_.find(FieldId::host)->value, "app");
  EXPECT_EQ(headers_.find("X-B"), nullptr);
  EXPECT_EQ(headers_.value("X-B"), "");
  EXPECT_EQ(headers_.count("x-A"), 2u);
}

TEST_F(HeadersTest, SetReplacesAllFieldsOfANameInThePlaceOfTheFirst) {
  for (const auto* name : {"A", "B", "a", "C", "A"}) headers_.add(name, "old");
  headers_.set("A", "new");
  EXPECT_EQ(joined(headers_), "A=new;B=old;C=old;");
  headers_.set("Date", "now");
  EXPECT_EQ(joined(headers_), "A=new;B=old;C=old;Date=now;");
}

TEST_F(HeadersTest, SetByIdReplacesAllFieldsOfItsNameAndWritesItInLowerCase) {
  for (const auto* name : {"Via", "B", "via"}) headers_.add(name, "old");
  headers_.set_view(FieldId::via, "new");
  EXPECT_EQ(joined(headers_), "via=new;B=old;");
  headers_.set_view(FieldId::date, "now");
  EXPECT_EQ(joined(headers_), "via=new;B=old;date=now;");
}

TEST_F(HeadersTest, RemoveTakesEveryFieldOfThatNameAndSaysHowMany) {
  for (const auto* name : {"Via", "X", "via", "x"}) headers_.add(name, "1");
  EXPECT_EQ(headers_.remove("VIA"), 2u);
  EXPECT_EQ(headers_.remove(FieldId::via), 0u);
  EXPECT_EQ(headers_.remove("X"), 2u);
  EXPECT_EQ(headers_.size(), 0u);
}

TEST_F(HeadersTest, KeepsOrderAndDuplicatesThroughGrowth) {
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    headers_.add("N", std::to_string(i));
    expected += "N=" + std::to_string(i) + ";";
  }
  EXPECT_EQ(joined(headers_), expected);
}

TEST_F(HeadersTest, MayHaveWhatWasEverAddedAndNothingElse) {
  Headers headers(arena_);
  EXPECT_FALSE(headers.may_have(FieldId::cookie));
  headers.add("Cookie", "a=1");
  headers.set("Via", "1.1 x");
  EXPECT_TRUE(headers.may_have(FieldId::cookie));
  EXPECT_TRUE(headers.may_have(FieldId::via));
  EXPECT_FALSE(headers.may_have(FieldId::host));
  EXPECT_FALSE(headers.may_have(FieldId::x_request_id));
  EXPECT_EQ(headers.remove(FieldId::cookie), 1u);
  EXPECT_EQ(headers.find(FieldId::cookie), nullptr);
  headers.add("cookie", "b=2");
  EXPECT_EQ(headers.value("Cookie"), "b=2");
}

TEST_F(HeadersTest, JoinsSeveralFieldsIntoOneListWithoutEmptyOnes) {
  EXPECT_EQ(headers_.joined(FieldId::cookie, "; "), "");
  headers_.add("Cookie", "a=1");
  const std::size_t before = arena_.used();
  EXPECT_EQ(headers_.joined(FieldId::cookie, "; "), "a=1");
  EXPECT_EQ(arena_.used(), before);
  headers_.add("Cookie", "");
  headers_.add("X", "y");
  headers_.add("cookie", "b=2");
  EXPECT_EQ(headers_.joined(FieldId::cookie, "; "), "a=1; b=2");
}

TEST_F(HeadersTest, JoinsManyFieldsInLinearMemory) {
  for (int i = 0; i < 10000; ++i) headers_.add_view("X-Forwarded-For", "192.0.2.1");
  const std::size_t before = arena_.used();
  EXPECT_EQ(headers_.joined(FieldId::x_forwarded_for, ", ").size(), 10000u * 11 - 2);
  EXPECT_LT(arena_.used() - before, 200000u);
}

TEST(FieldId, EveryKnownNameHasItsOwnIdInAnyCase) {
  for (const auto& [name, id] : {std::pair{"accept", FieldId::accept},
                                 {"Access-Control-Request-Method", FieldId::access_control_request_method},
                                 {"CONTENT-LENGTH", FieldId::content_length},
                                 {"Transfer-encoding", FieldId::transfer_encoding},
                                 {"te", FieldId::te},
                                 {"Via", FieldId::via},
                                 {"x-forwarded-for", FieldId::x_forwarded_for},
                                 {"X-Request-ID", FieldId::x_request_id}})
    EXPECT_EQ(field_id(name), id) << name;
}

TEST(FieldId, NeighboursOfKnownNamesAreOthers) {
  for (const auto* name :
       {"", "t", "tee", "content_length", "content-length ", "Xfer-encoding", "hos", "hostt", "x-request-i\xc4"})
    EXPECT_EQ(field_id(name), FieldId::other) << name;
}

TEST(EqualsIgnoringCase, FindsADifferenceOfAnyTwoBytesInAnyPlaceOfATextOfAnyLength) {
  const auto lower = [](unsigned c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
  for (std::size_t size = 1; size <= 20; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (unsigned first = 0; first < 256; ++first)
        for (const unsigned second : {first, first ^ 0x20, first ^ 0x80, (first + 1) & 0xff, first ^ 0xa0}) {
          std::string a(size, 'x');
          std::string b(size, 'X');
          a[at] = static_cast<char>(first);
          b[at] = static_cast<char>(second);
          ASSERT_EQ(equals_ignoring_case(a, b), lower(first) == lower(second)) << first << ' ' << second << ' ' << size << ' ' << at;
        }
}

TEST(EqualsIgnoringCase, KnowsAsciiLettersOnly) {
  EXPECT_TRUE(equals_ignoring_case("aZ-09", "Az-09"));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  // 0x40 and 0x60, 0x5b and 0x7b differ by the bit that letters differ by.
  EXPECT_FALSE(equals_ignoring_case("@", "`"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));
  EXPECT_FALSE(equals_ignoring_case("\xc4", "\xe4"));
}

TEST(MethodLabel, IsBounded) {
  EXPECT_EQ(method_label(Method::kPatch), "PATCH");
  EXPECT_EQ(method_label(Method::kOther), "_OTHER");
}

}  // namespace
}  // namespace gatehouse
