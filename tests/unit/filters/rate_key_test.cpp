#include "filters/rate_key.hpp"

#include "http/address.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace gatehouse {
namespace {

struct Shown {
  std::string client = "192.0.2.1";
  std::initializer_list<std::pair<std::string_view, std::string_view>> fields = {};
  std::string query = {};
  std::string route = "/";
};

RateKey key(std::initializer_list<std::string_view> parts, const Shown& shown) {
  RateKeySpec spec;
  spec.parts.clear();
  for (const auto part : parts) spec.parts.push_back(parse_rate_key_part(part).value());
  Arena arena;
  Exchange exchange(arena);
  exchange.client.bytes = parse_address(shown.client)->bytes;
  exchange.route = shown.route;
  exchange.request().query = shown.query;
  for (const auto& [name, value] : shown.fields) exchange.request().headers.add(name, value);
  return spec.key_of(exchange, {1, 2});
}

RateKey by_address(std::string_view client) { return key({"client_address"}, {std::string(client)}); }
RateKey by_query(std::string_view query) { return key({"query:key"}, {"192.0.2.1", {}, std::string(query)}); }
RateKey by_cookie(std::string_view cookie) { return key({"cookie:sid"}, {"192.0.2.1", {{"Cookie", cookie}}}); }
RateKey by_credentials(std::string_view value) {
  return key({"header:Authorization"}, {"192.0.2.1", {{"authorization", value}}});
}

TEST(RateKey, AddressesOfOneNetworkAreOneClient) {
  EXPECT_EQ(by_address("2001:db8::1"), by_address("2001:db8::ffff:1"));
  EXPECT_NE(by_address("2001:db8::1"), by_address("2001:db8:0:1::1"));
  EXPECT_NE(by_address("192.0.2.1"), by_address("192.0.2.2"));
}

TEST(RateKey, AHostHasOneKeyHoweverItsAddressIsWrapped) {
  for (const auto* wrapped : {"::ffff:192.0.2.1", "64:ff9b::192.0.2.1", "2002:c000:201::1", "2002:c000:201:5::9"})
    EXPECT_EQ(by_address(wrapped), by_address("192.0.2.1")) << wrapped;
}

TEST(RateKey, EachPartMakesADifference) {
  const std::initializer_list<std::string_view> parts = {"client_address", "route", "header:X-Key"};
  const auto one = key(parts, {"192.0.2.1", {{"x-key", "a"}}, "", "/a"});
  EXPECT_EQ(one, key(parts, {"192.0.2.1", {{"X-KEY", "a"}, {"other", "b"}}, "z=1", "/a"}));
  EXPECT_NE(one, key(parts, {"192.0.2.2", {{"x-key", "a"}}, "", "/a"}));
  EXPECT_NE(one, key(parts, {"192.0.2.1", {{"x-key", "A"}}, "", "/a"}));
  EXPECT_NE(one, key(parts, {"192.0.2.1", {{"x-key", "a"}}, "", "/b"}));
}

TEST(RateKey, PartsDoNotRunIntoEachOther) {
  const auto two = [](std::string_view a, std::string_view b) {
    return key({"header:a", "header:b"}, {"192.0.2.1", {{"a", a}, {"b", b}}});
  };
  EXPECT_NE(two("xy", "z"), two("x", "yz"));
  EXPECT_NE(two("xy", ""), two("", "xy"));
}

TEST(RateKey, WhoShowsNothingIsCountedByAddress) {
  const auto of = [](std::string_view client) { return key({"header:x-key"}, {std::string(client)}); };
  EXPECT_EQ(of("192.0.2.1"), of("192.0.2.1"));
  EXPECT_NE(of("192.0.2.1"), of("192.0.2.2"));
  EXPECT_EQ(of("2001:db8::1"), of("2001:db8::2"));
}

TEST(RateKey, ShowingSeveralValuesIsShowingNothing) {
  const auto nothing = key({"header:x-key"}, {});
  EXPECT_EQ(key({"header:x-key"}, {"192.0.2.1", {{"x-key", "good"}, {"x-key", "1"}}}), nothing);
  EXPECT_EQ(by_query("key=good&key=1"), by_query(""));
  EXPECT_EQ(by_query("key=good&k%65y=2"), by_query(""));
  EXPECT_EQ(by_cookie("sid=good; sid=1"), by_cookie("a=b"));
  EXPECT_EQ(key({"cookie:sid"}, {"192.0.2.1", {{"Cookie", "sid=good"}, {"cookie", "sid=2"}}}), by_cookie(""));
}

TEST(RateKey, AnEmptyValueIsAValue) { EXPECT_NE(by_query("key="), by_query("")); }

TEST(RateKey, SpellingsOfOneParameterAreOneKey) {
  for (const auto* query : {"key=a+b", "key=a%20b", "%6bey=%61%20b", "x=1&key=a+b&y", "key=a+b&"})
    EXPECT_EQ(by_query(query), by_query("key=a b")) << query;
  for (const auto* query : {"key=a%2520b", "key=a%2bb", "key=ab", "KEY=a+b", "akey=a+b", "keya+b", "key=a b "})
    EXPECT_NE(by_query(query), by_query("key=a b")) << query;
}

TEST(RateKey, BrokenPercentEncodingIsTakenAsItIs) {
  EXPECT_NE(by_query("key=%"), by_query("key="));
  EXPECT_NE(by_query("key=%4"), by_query("key=%"));
  EXPECT_NE(by_query("key=%zz"), by_query("key=zz"));
}

TEST(RateKey, SpellingsOfOneCookieAreOneKey) {
  for (const auto* cookie : {"sid=abc", "a=b; sid=abc", "sid=\"abc\"", "sid = abc ;x", " sid=%61bc", "sid=abc;"})
    EXPECT_EQ(by_cookie(cookie), by_cookie("sid=abc")) << cookie;
  for (const auto* cookie : {"SID=abc", "xsid=abc", "sid=abcd", "sid", "x=sid=abc"})
    EXPECT_NE(by_cookie(cookie), by_cookie("sid=abc")) << cookie;
}

TEST(RateKey, SpellingsOfOneCredentialAreOneKey) {
  EXPECT_EQ(by_credentials("bearer abc"), by_credentials("Bearer abc"));
  EXPECT_EQ(by_credentials("BEARER   abc"), by_credentials("Bearer abc"));
  EXPECT_NE(by_credentials("Bearer Abc"), by_credentials("Bearer abc"));
  EXPECT_NE(by_credentials("Basic abc"), by_credentials("Bearer abc"));
}

TEST(RateKey, AValueIsNeverMistakenForAnAddress) {
  const auto network = parse_address("192.0.2.1")->bytes;
  const std::string bytes(network.begin(), network.end());
  EXPECT_NE(key({"header:x-key"}, {"192.0.2.1", {{"x-key", bytes}}}), key({"header:x-key"}, {}));
}

TEST(RateKey, ReadsItsPartsFromText) {
  EXPECT_EQ(parse_rate_key_part("cookie:sid")->name, "sid");
  EXPECT_EQ(parse_rate_key_part("query:a:b")->name, "a:b");
  for (const auto* text : {"", "address", "client_address:", "header", "header:", "body:x", "Header:x", ":x"})
    EXPECT_FALSE(parse_rate_key_part(text)) << text;
}

TEST(RateKey, KnowsWhetherAClientChoosesAnyOfIt) {
  RateKeySpec spec;
  EXPECT_TRUE(spec.by_address_only());
  spec.parts.push_back({RateKeyPart::Kind::kRoute, ""});
  EXPECT_TRUE(spec.by_address_only());
  spec.parts.push_back({RateKeyPart::Kind::kCookie, "sid"});
  EXPECT_FALSE(spec.by_address_only());
}

}  // namespace
}  // namespace gatehouse
