#include "http/forwarded.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace gatehouse {
namespace {

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

IpAddress address(std::string_view text) { return parse_address(text).value(); }

ForwardedRules rules(std::initializer_list<std::string_view> trusted,
                     ForwardedSource source = ForwardedSource::kXForwardedFor) {
  std::vector<Cidr> networks;
  for (const auto text : trusted) networks.push_back(parse_cidr(text).value());
  ForwardedRules rules;
  rules.trusted = CidrSet(networks);
  rules.source = source;
  return rules;
}

SettledClient settle(std::string_view peer, const ForwardedRules& rules, Fields fields) {
  Arena arena;
  Headers headers(arena);
  for (const auto& [name, value] : fields) headers.add(name, value);
  return settle_client(address(peer), headers, rules);
}

std::string client(std::string_view peer, const ForwardedRules& rules, Fields fields) {
  return format_address(settle(peer, rules, fields).address);
}

const ForwardedRules kPrivate = rules({"10.0.0.0/8", "fd00::/8"});
const ForwardedRules kPrivate7239 = rules({"10.0.0.0/8", "fd00::/8"}, ForwardedSource::kForwarded);

TEST(Forwarded, TrustsNobodyByDefault) {
  const auto settled =
      settle("127.0.0.1", ForwardedRules{},
             {{"X-Forwarded-For", "1.2.3.4"}, {"Forwarded", "for=1.2.3.4"}, {"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(settled.address, address("127.0.0.1"));
  EXPECT_FALSE(settled.peer_trusted);
  EXPECT_FALSE(settled.scheme);
  EXPECT_EQ(settled.hops, 0U);
}

TEST(Forwarded, AnUntrustedPeerIsTheClientWhateverItSends) {
  EXPECT_EQ(client("8.8.8.8", kPrivate, {{"X-Forwarded-For", "1.2.3.4"}}), "8.8.8.8");
  EXPECT_EQ(client("8.8.8.8", kPrivate, {{"X-Forwarded-For", "10.0.0.1, 10.0.0.2"}}), "8.8.8.8");
  EXPECT_FALSE(settle("8.8.8.8", kPrivate, {{"X-Forwarded-Proto", "https"}}).scheme);
}

TEST(Forwarded, ATrustedPeerNamesTheClient) {
  const auto settled = settle("10.0.0.1", kPrivate, {{"X-Forwarded-For", "1.2.3.4"}});
  EXPECT_EQ(format_address(settled.address), "1.2.3.4");
  EXPECT_TRUE(settled.peer_trusted);
  EXPECT_EQ(settled.hops, 1U);
}

TEST(Forwarded, WithoutAFieldTheTrustedPeerIsTheClient) { EXPECT_EQ(client("10.0.0.1", kPrivate, {}), "10.0.0.1"); }

TEST(Forwarded, AddressesThatTheClientPutInFrontAreNotRead) {
  EXPECT_EQ(client("10.0.0.1", kPrivate, {{"X-Forwarded-For", "6.6.6.6, 1.2.3.4"}}), "1.2.3.4");
  EXPECT_EQ(client("10.0.0.1", kPrivate, {{"X-Forwarded-For", "10.0.0.9, 1.2.3.4"}}), "1.2.3.4");
  EXPECT_EQ(client("10.0.0.1", kPrivate, {{"X-Forwarded-For", "1.1.1.1,6.6.6.6, 1.2.3.4, 10.0.0.7, fd00::1"}}),
            "1.2.3.4");
}

TEST(Forwarded, SeveralFieldsAreOneList) {
  EXPECT_EQ(client("10.0.0.1", kPrivate, {{"X-Forwarded-For", "6.6.6.6"}, {"x-forwarded-for", "1.2.3.4"}}), "1.2.3.4");
  EXPECT_EQ(
      client("10.0.0.1", kPrivate, {{"X-Forwarded-For", "1.2.3.4"}, {"Host", "a"}, {"x-forwarded-for", "10.0.0.2"}}),
      "1.2.3.4");
}

TEST(Forwarded, AHopThatIsNoAddressStopsTheWalk) {
  for (const auto* hop :
       {"unknown", "_hidden", "1.2.3", "1.2.3.4.5", "", " ", "01.2.3.4", "localhost", "fe80::1%eth0", "\"", "unix:"}) {
    const auto list = "1.2.3.4, " + std::string(hop) + ", 10.0.0.2";
    EXPECT_EQ(client("10.0.0.1", kPrivate, {{"X-Forwarded-For", list}}), "10.0.0.2") << hop;
  }
  EXPECT_EQ(client("10.0.0.1", kPrivate, {{"X-Forwarded-For", "1.2.3.4,"}}), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", kPrivate, {{"X-Forwarded-For", ""}}), "10.0.0.1");
}

TEST(Forwarded, WhenAllAreTrustedTheOutermostIsTheClient) {
  EXPECT_EQ(client("10.0.0.1", kPrivate, {{"X-Forwarded-For", "10.0.0.4, 10.0.0.3, 10.0.0.2"}}), "10.0.0.4");
}

TEST(Forwarded, PortsAndBracketsAreUnderstood) {
  EXPECT_EQ(client("10.0.0.1", kPrivate, {{"X-Forwarded-For", "1.2.3.4:5678"}}), "1.2.3.4");
  EXPECT_EQ(client("10.0.0.1", kPrivate, {{"X-Forwarded-For", "[2001:db8::1]:5678"}}), "2001:db8::1");
  EXPECT_EQ(client("10.0.0.1", kPrivate, {{"X-Forwarded-For", "2001:db8::1"}}), "2001:db8::1");
}

TEST(Forwarded, AMappedPeerIsTheIpv4AddressItStandsFor) {
  EXPECT_EQ(client("::ffff:10.0.0.1", kPrivate, {{"X-Forwarded-For", "::ffff:1.2.3.4"}}), "1.2.3.4");
}

TEST(Forwarded, AnAddressThatOnlyCarriesATrustedOneIsNotTrusted) {
  EXPECT_EQ(client("64:ff9b::10.0.0.1", kPrivate, {{"X-Forwarded-For", "1.2.3.4"}}), "64:ff9b::a00:1");
  EXPECT_EQ(client("2002:a00:1::1", kPrivate, {{"X-Forwarded-For", "1.2.3.4"}}), "2002:a00:1::1");
}

TEST(Forwarded, HopsAreBounded) {
  auto one = rules({"0.0.0.0/0"});
  one.max_hops = 1;
  EXPECT_EQ(client("10.0.0.1", one, {{"X-Forwarded-For", "6.6.6.6, 1.2.3.4"}}), "1.2.3.4");
  one.max_hops = 2;
  EXPECT_EQ(client("10.0.0.1", one, {{"X-Forwarded-For", "7.7.7.7, 6.6.6.6, 1.2.3.4"}}), "6.6.6.6");
  one.max_hops = 0;
  EXPECT_EQ(client("10.0.0.1", one, {{"X-Forwarded-For", "1.2.3.4"}}), "10.0.0.1");
  std::string many = "9.9.9.9";
  for (int i = 0; i < 20000; ++i) many += ",10.0.0.2";
  EXPECT_EQ(settle("10.0.0.1", kPrivate, {{"X-Forwarded-For", many}}).hops, kPrivate.max_hops);
}

TEST(Forwarded, OnlyTheConfiguredFieldIsRead) {
  const Fields both = {{"X-Forwarded-For", "1.2.3.4"}, {"Forwarded", "for=6.6.6.6;proto=https"}};
  EXPECT_EQ(client("10.0.0.1", kPrivate, both), "1.2.3.4");
  EXPECT_FALSE(settle("10.0.0.1", kPrivate, both).scheme);
  EXPECT_EQ(client("10.0.0.1", kPrivate7239, both), "6.6.6.6");
}

TEST(Forwarded, SchemeComesFromATrustedPeer) {
  const auto scheme = [](Fields fields) { return settle("10.0.0.1", kPrivate, fields).scheme; };
  EXPECT_EQ(scheme({{"X-Forwarded-Proto", "https"}}), Scheme::kHttps);
  EXPECT_EQ(scheme({{"X-Forwarded-Proto", "HTTP"}, {"X-Forwarded-For", "1.2.3.4"}}), Scheme::kHttp);
  EXPECT_EQ(scheme({{"X-Forwarded-Proto", "ftp"}}), std::nullopt);
  EXPECT_EQ(scheme({{"X-Forwarded-Proto", ""}}), std::nullopt);
  EXPECT_EQ(scheme({}), std::nullopt);
}

TEST(Forwarded, ASchemeThatTheClientPutInFrontIsNotRead) {
  EXPECT_EQ(settle("10.0.0.1", kPrivate, {{"X-Forwarded-For", "1.2.3.4"}, {"X-Forwarded-Proto", "https, http"}}).scheme,
            Scheme::kHttp);
  EXPECT_EQ(
      settle("10.0.0.1", kPrivate,
             {{"X-Forwarded-For", "6.6.6.6, 1.2.3.4"}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "http"}})
          .scheme,
      Scheme::kHttp);
}

TEST(Forwarded, AppendedSchemesBelongToTheHopBesideThem) {
  EXPECT_EQ(
      settle("10.0.0.1", kPrivate, {{"X-Forwarded-For", "1.2.3.4, 10.0.0.2"}, {"X-Forwarded-Proto", "https, http"}})
          .scheme,
      Scheme::kHttps);
  EXPECT_EQ(
      settle("10.0.0.1", kPrivate, {{"X-Forwarded-For", "1.2.3.4, 10.0.0.2"}, {"X-Forwarded-Proto", "https"}}).scheme,
      Scheme::kHttps);
}

TEST(Forwarded, ReadsRfc7239Elements) {
  const auto settled = [](std::string_view value) { return settle("10.0.0.1", kPrivate7239, {{"Forwarded", value}}); };
  EXPECT_EQ(settled("for=1.2.3.4").address, address("1.2.3.4"));
  EXPECT_EQ(settled("For=\"[2001:db8:cafe::17]:4711\"").address, address("2001:db8:cafe::17"));
  EXPECT_EQ(settled("for=192.0.2.60;proto=http;by=203.0.113.43").address, address("192.0.2.60"));
  EXPECT_EQ(settled("for=192.0.2.60; proto=\"https\" ; by=203.0.113.43").scheme, Scheme::kHttps);
  EXPECT_EQ(settled("for=6.6.6.6, for=1.2.3.4;proto=https, for=10.0.0.2;proto=http").address, address("1.2.3.4"));
  EXPECT_EQ(settled("for=6.6.6.6, for=1.2.3.4;proto=https, for=10.0.0.2;proto=http").scheme, Scheme::kHttps);
  EXPECT_EQ(settled("for=1.2.3.4;host=\"a,b;for=6.6.6.6\"").address, address("1.2.3.4"));
  EXPECT_EQ(settled("for=1.2.3.4;host=\"a\\\", for=6.6.6.6\"").address, address("1.2.3.4"));
  EXPECT_EQ(settled("host=\"\\\\\";for=1.2.3.4").address, address("1.2.3.4"));
}

TEST(Forwarded, AQuoteLeftOpenByTheClientDoesNotSwallowWhatTheProxyWrote) {
  EXPECT_EQ(client("10.0.0.1", kPrivate7239, {{"Forwarded", "for=\"6.6.6.6, for=1.2.3.4"}}), "1.2.3.4");
  EXPECT_EQ(client("10.0.0.1", kPrivate7239, {{"Forwarded", "for=\"6.6.6.6;x=\\, for=1.2.3.4;proto=https"}}),
            "1.2.3.4");
  EXPECT_EQ(client("10.0.0.1", kPrivate7239, {{"Forwarded", "for=\""}, {"Forwarded", "for=1.2.3.4"}}), "1.2.3.4");
}

TEST(Forwarded, AnElementThatBreaksTheGrammarStopsTheWalk) {
  for (const auto* element : {"", "for", "for=", "for=unknown", "for=_x", "for=\"1.2.3.4", "for=1.2.3.4\"",
                              "for=1.2.3.4;for=5.6.7.8", "proto=https", "for=1.2.3.4;proto=http;proto=https",
                              "for 1.2.3.4", "for=1.2.3.4;x", "for=[::1", "\"", "for=\"\\\"\""}) {
    const auto list = std::string(element) + ", for=10.0.0.2";
    EXPECT_EQ(client("10.0.0.1", kPrivate7239, {{"Forwarded", list}}), "10.0.0.2") << element;
  }
}

TEST(Forwarded, Rfc7239IsReadUnderTheSameRules) {
  const auto of = [](std::string_view peer, Fields fields) { return client(peer, kPrivate7239, fields); };
  EXPECT_EQ(of("8.8.8.8", {{"Forwarded", "for=1.2.3.4"}}), "8.8.8.8");
  EXPECT_EQ(of("10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(of("10.0.0.1", {{"Forwarded", "for=6.6.6.6"}, {"forwarded", "for=1.2.3.4"}}), "1.2.3.4");
  EXPECT_EQ(of("10.0.0.1", {{"Forwarded", "for=10.0.0.4, for=10.0.0.3"}}), "10.0.0.4");
  EXPECT_EQ(of("10.0.0.1", {{"Forwarded", "for=1.2.3.4, for=\"[fd00::1]:80\""}}), "1.2.3.4");
  auto one = rules({"0.0.0.0/0"}, ForwardedSource::kForwarded);
  one.max_hops = 1;
  EXPECT_EQ(client("10.0.0.1", one, {{"Forwarded", "for=6.6.6.6, for=1.2.3.4"}}), "1.2.3.4");
}

}  // namespace
}  // namespace gatehouse
