// One canary in the many ways in which a named secret is written; used by unit tests and fuzz targets.
#pragma once

#include <string>
#include <string_view>

namespace gatehouse {

inline constexpr std::string_view kCanary = "c4naryV4lue";

struct Planted {
  std::string_view before;
  std::string_view after;
  std::string text() const { return std::string(before).append(kCanary).append(after); }
};

inline constexpr Planted kPlanted[] = {
    {R"({"user":"ann","password":")", R"(","n":1})"},
    {R"({"a":{"b":[{"api_key":")", R"("}]}})"},
    {R"({"m":"{\"access_token\":\")", R"(\",\"n\":1}"})"},
    {"user=ann&client_secret=", "&n=1"},
    {"GET /cb?refresh_token=", " HTTP/1.1"},
    {"X-Api-Key: ", ""},
    {"Authorization: Bearer ", ""},
    {"Cookie: a=b; sid=", "; c=d"},
    {"{'secret': '", "', 'n': 1}"},
    {"DB_PASSWORD=", ""},
    {"password: ", ""},
    {"User(name=ann, password=", ", id=3)"},
    {"<password>", "</password>"},
    {"connect postgres://app:", "@db/app"},
    {":password=>\"", "\""},
};

}  // namespace gatehouse
