#include "http/refused_head.hpp"

#include <gtest/gtest.h>

namespace gatehouse::http {
namespace {

std::string kept(std::string_view bytes) {
  Arena arena;
  Headers headers(arena);
  keep_origin(bytes, headers);
  EXPECT_LE(headers.size(), 1u);
  const Field* field = headers.find(FieldId::origin);
  return field == nullptr ? "(none)" : std::string(field->value);
}

TEST(KeepOrigin, FindsTheOneOriginOfABrokenHead) {
  EXPECT_EQ(kept("GET /%zz HTTP/1.1\r\nHost: a\r\nOrigin: https://app.example\r\nA B: c\r\n\r\n"),
            "https://app.example");
  EXPECT_EQ(kept("GET / HTTP/9.9\nORIGIN:\thttps://app.example \n\n"), "https://app.example");
  EXPECT_EQ(kept("GET / HTTP/1.1\r\nOrigin: null\r\nX: cut of"), "null");
}

TEST(KeepOrigin, BelievesNothingThatIsNotClear) {
  for (const std::string_view bytes :
       {"", "Origin", "GET / HTTP/1.1\r\nOrigin: https://app.exam", "GET / HTTP/1.1\r\nOrigin:\r\n\r\n",
        "GET / HTTP/1.1\r\nOrigin: https://a\r\nOrigin: https://b\r\n\r\n",
        "GET / HTTP/1.1\r\nOrigin: https://a https://b\r\n\r\n", "GET / HTTP/1.1\r\nOrigin: https://\x01\r\n\r\n",
        "GET / HTTP/1.1\r\nOrigin : https://a\r\n\r\n", "GET / HTTP/1.1\r\nX-Origin: https://a\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\nOrigin: https://a\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n\r\nPOST / HTTP/1.1\r\nOrigin: https://a\r\n\r\n"})
    EXPECT_EQ(kept(bytes), "(none)") << bytes;
  EXPECT_EQ(kept("GET / HTTP/1.1\r\nOrigin: https://" + std::string(600, 'a') + "\r\n\r\n"), "(none)");
}

TEST(KeepOrigin, LeavesWhatWasReadAlready) {
  Arena arena;
  Headers headers(arena);
  headers.add("Origin", "https://first");
  keep_origin("GET / HTTP/1.1\r\nOrigin: https://second\r\n\r\n", headers);
  EXPECT_EQ(headers.size(), 1u);
  EXPECT_EQ(headers.value(FieldId::origin), "https://first");
}

}  // namespace
}  // namespace gatehouse::http
