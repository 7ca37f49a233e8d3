#include "proxy/body_capture.hpp"

#include <gtest/gtest.h>

namespace gatehouse::proxy {

TEST(CapturedBody, KeepsTheBeginningAndCountsTheRest) {
  CapturedBody body(5);
  for (const std::string_view piece : {"abc", "def", "", "ghi"}) body.add(piece);
  EXPECT_EQ(body.text(), "abcde");
  EXPECT_EQ(body.size(), 9u);
}

TEST(LoggedTypes, AreNamedWholeOrByOneEnd) {
  const std::vector<std::string> types{"application/json", "text/*", "*+json"};
  for (const auto* yes : {"application/json", "Application/JSON; charset=utf-8", "text/html", "application/problem+json", "text/plain ;x"})
    EXPECT_TRUE(is_logged_type(yes, types)) << yes;
  for (const auto* no : {"", ";", "image/png", "application/jsonp", "application/x-json", "text", "json"})
    EXPECT_FALSE(is_logged_type(no, types)) << no;
  EXPECT_FALSE(is_logged_type("text/html", {}));
  EXPECT_TRUE(is_logged_type("a/b", {"*"}));
}

}  // namespace gatehouse::proxy
