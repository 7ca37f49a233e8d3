#include "http/address.hpp"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

IpAddress address(std::string_view text) { return parse_address(text).value(); }
Cidr cidr(std::string_view text) { return parse_cidr(text).value(); }

TEST(IpAddress, ReadsBothFamilies) {
  EXPECT_EQ(address("192.0.2.1"), IpAddress::v4(0xc0000201));
  EXPECT_EQ(address("::ffff:192.0.2.1"), IpAddress::v4(0xc0000201));
  EXPECT_EQ(address("::ffff:c000:201"), IpAddress::v4(0xc0000201));
  EXPECT_TRUE(address("192.0.2.1").is_v4());
  EXPECT_FALSE(address("::192.0.2.1").is_v4());
  EXPECT_EQ(address("2001:DB8::1"), address("2001:db8:0:0:0:0:0:1"));
  EXPECT_EQ(address("1:2:3:4:5:6:7::"), address("1:2:3:4:5:6:7:0"));
  EXPECT_EQ(address("::2:3:4:5:6:7:8"), address("0:2:3:4:5:6:7:8"));
}

TEST(IpAddress, RefusesWhatTwoReadersCouldUnderstandDifferently) {
  for (const std::string_view text : {"",
                                      " ",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.",
                                      ".1.2.3",
                                      "01.2.3.4",
                                      "1.2.3.004",
                                      "1.2.3.256",
                                      "1.2.3.-4",
                                      "1.2.3.+4",
                                      "0x7f.0.0.1",
                                      "2130706433",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "1..3.4",
                                      "1.2.3.4\n",
                                      ":",
                                      ":::",
                                      "::1::",
                                      "1::2::3",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7:8::",
                                      "::1:2:3:4:5:6:7:8",
                                      "12345::",
                                      "g::",
                                      "1:",
                                      ":1",
                                      "::1:",
                                      "[::1]",
                                      "fe80::1%eth0",
                                      "::1.2.3",
                                      "::1.2.3.4.5",
                                      "1.2.3.4::",
                                      "::1.2.3.4:5",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "::ffff:01.2.3.4",
                                      "unknown",
                                      "localhost"})
    EXPECT_FALSE(parse_address(text)) << text;
  EXPECT_FALSE(parse_address(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(parse_address(std::string(100000, ':')));
  EXPECT_FALSE(parse_address(std::string(100000, '1')));
}

TEST(IpAddress, IsWrittenInTheCanonicalForm) {
  for (const std::string_view text :
       {"0.0.0.0", "255.255.255.255", "::", "::1", "1::", "2001:db8::1", "2001:db8:0:1:1:1:1:1", "2001:0:0:1::1",
        "1:2:3:4:5:6:7:8", "1::8", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1:2:3:4:5:6::", "64:ff9b::102:304"})
    EXPECT_EQ(format_address(address(text)), text);
  EXPECT_EQ(format_address(address("2001:0DB8:0:0:1:0:0:1")), "2001:db8::1:0:0:1");
  EXPECT_EQ(format_address(address("::ffff:1.2.3.4")), "1.2.3.4");
}

TEST(IpAddress, EveryWrittenAddressReadsBackAsItself) {
  std::uint64_t state = 1;
  for (int round = 0; round < 20000; ++round) {
    IpAddress any;
    for (auto& byte : any.bytes) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      // Zeros often, so that every shape of `::` is met.
      byte = (state >> 62) != 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(state >> 40);
    }
    ASSERT_EQ(address(format_address(any)), any) << format_address(any);
  }
}

TEST(AddressAndPort, ReadsTheFormsThatProxiesWrite) {
  const auto port = [](std::string_view text) { return parse_address_and_port(text)->port; };
  EXPECT_EQ(port("192.0.2.1"), std::nullopt);
  EXPECT_EQ(port("192.0.2.1:0"), 0);
  EXPECT_EQ(port("192.0.2.1:65535"), 65535);
  EXPECT_EQ(port("[2001:db8::1]:443"), 443);
  EXPECT_EQ(port("\"[2001:db8::1]:443\""), 443);
  EXPECT_EQ(port("[2001:db8::1]"), std::nullopt);
  EXPECT_EQ(port("2001:db8::443"), std::nullopt);
  EXPECT_EQ(parse_address_and_port("\"[2001:db8::1]:443\"")->address, address("2001:db8::1"));
}

TEST(AddressAndPort, RefusesEverythingElse) {
  for (const std::string_view text : {"",
                                      "\"",
                                      "\"\"",
                                      "unknown",
                                      "_hidden",
                                      "_SEVKISEK",
                                      "unix:",
                                      "1.2.3.4:",
                                      "1.2.3.4:65536",
                                      "1.2.3.4:080",
                                      "1.2.3.4:_x",
                                      "[1.2.3.4]",
                                      "[1.2.3.4]:80",
                                      "[::1",
                                      "::1]",
                                      "[::1]80",
                                      "[::1]:",
                                      "[]",
                                      "[]:80",
                                      "[[::1]]",
                                      "\"1.2.3.4",
                                      "1.2.3.4\"",
                                      "\"\"1.2.3.4\"\"",
                                      "1.2.3.4, 5.6.7.8"})
    EXPECT_FALSE(parse_address_and_port(text)) << text;
}

TEST(IpAddress, TransitionAddressesCountAsTheHostBehindThem) {
  EXPECT_EQ(unwrap_embedded_v4(address("64:ff9b::192.0.2.1")), address("192.0.2.1"));
  EXPECT_EQ(unwrap_embedded_v4(address("2002:c000:201::5")), address("192.0.2.1"));
  EXPECT_EQ(unwrap_embedded_v4(address("2001:0:4136:e378:8000:63bf:3fff:fdfe")), address("192.0.2.1"));
  for (const auto text : {"64:ff9b:1::1", "2001:db8::1", "2003::1", "192.0.2.1", "::1"})
    EXPECT_EQ(unwrap_embedded_v4(address(text)), address(text));
}

TEST(IpAddress, KnowsWhichAddressesNoClientOnTheInternetHas) {
  for (const auto text : {"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1",
                          "169.254.1.1", "::1", "fd00::1", "fc00::", "fe80::1", "::ffff:10.0.0.1"})
    EXPECT_TRUE(is_private(address(text))) << text;
  for (const auto text :
       {"8.8.8.8", "172.32.0.1", "172.15.255.255", "100.128.0.1", "2001:db8::1", "fe00::1", "::2", "::"})
    EXPECT_FALSE(is_private(address(text))) << text;
}

TEST(IpAddress, IsCutToItsNetworkByTheFamilysPrefix) {
  EXPECT_EQ(network_of(address("192.0.2.77"), 24, 64), address("192.0.2.0"));
  EXPECT_EQ(network_of(address("192.0.2.77"), 32, 64), address("192.0.2.77"));
  EXPECT_EQ(network_of(address("192.0.2.77"), 0, 64), address("0.0.0.0"));
  EXPECT_EQ(network_of(address("2001:db8:1:2:3:4:5:6"), 32, 64), address("2001:db8:1:2::"));
  EXPECT_EQ(network_of(address("2001:db8:1:2ff:3:4:5:6"), 32, 57), address("2001:db8:1:280::"));
  EXPECT_EQ(network_of(address("2001:db8::1"), 32, 128), address("2001:db8::1"));
}

TEST(Cidr, HoldsExactlyItsAddresses) {
  EXPECT_TRUE(cidr("10.0.0.0/8").contains(address("10.255.255.255")));
  EXPECT_TRUE(cidr("10.0.0.0/8").contains(address("::ffff:10.1.2.3")));
  EXPECT_FALSE(cidr("10.0.0.0/8").contains(address("11.0.0.0")));
  EXPECT_TRUE(cidr("192.0.2.128/25").contains(address("192.0.2.128")));
  EXPECT_FALSE(cidr("192.0.2.128/25").contains(address("192.0.2.127")));
  EXPECT_TRUE(cidr("192.0.2.1").contains(address("192.0.2.1")));
  EXPECT_FALSE(cidr("192.0.2.1").contains(address("192.0.2.0")));
  EXPECT_TRUE(cidr("2001:db8::/33").contains(address("2001:db8:7fff::")));
  EXPECT_FALSE(cidr("2001:db8::/33").contains(address("2001:db8:8000::")));
}

TEST(Cidr, OneFamilysWorldIsNotTheOthers) {
  EXPECT_TRUE(cidr("0.0.0.0/0").contains(address("8.8.8.8")));
  EXPECT_FALSE(cidr("0.0.0.0/0").contains(address("2001:db8::1")));
  EXPECT_TRUE(cidr("::/0").contains(address("2001:db8::1")));
  EXPECT_FALSE(cidr("::/0").contains(address("8.8.8.8")));
  EXPECT_TRUE(cidr("::ffff:10.0.0.0/104").contains(address("10.1.1.1")));
}

TEST(Cidr, TellsHostBitsFromNonsense) {
  for (const auto text : {"10.0.0.1/8", "2001:db8::1/64", "0.0.0.1/0", "::ffff:0:0/90"})
    EXPECT_EQ(parse_cidr(text).error(), make_error_code(errc::invalid_argument)) << text;
  for (const auto text : {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "::/129", "10.0.0.0/8/8",
                          "10.0.0.0/ 8", "localhost/8", "10.0.0/8", "10.0.0.0/255.0.0.0"})
    EXPECT_EQ(parse_cidr(text).error(), make_error_code(errc::malformed)) << text;
}

TEST(Cidr, IsWrittenAsItIsRead) {
  for (const auto text : {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "::/0", "2001:db8::/32", "::1/128"})
    EXPECT_EQ(format_cidr(cidr(text)), text);
}

TEST(CidrSet, AnswersAsItsNetworksTogether) {
  const Cidr networks[] = {cidr("10.0.0.0/8"),    cidr("10.1.0.0/16"),     cidr("192.0.2.7"), cidr("192.168.0.0/16"),
                           cidr("2001:db8::/32"), cidr("2001:db8:5::/48"), cidr("::1")};
  const CidrSet set{networks};
  for (const auto text : {"10.0.0.0", "10.1.2.3", "10.255.255.255", "192.0.2.7", "192.168.255.255",
                          "2001:db8::", "2001:db8:ffff::1", "::1"})
    EXPECT_TRUE(set.contains(address(text))) << text;
  for (const auto text :
       {"9.255.255.255", "11.0.0.0", "192.0.2.6", "192.0.2.8", "192.169.0.0", "2001:db7::", "2001:db9::", "::", "::2"})
    EXPECT_FALSE(set.contains(address(text))) << text;
}

TEST(CidrSet, AgreesWithAskingEachNetwork) {
  std::uint64_t state = 7;
  const auto random = [&state] {
    return static_cast<std::uint32_t>((state = state * 6364136223846793005U + 1442695040888963407U) >> 33);
  };
  std::vector<Cidr> networks;
  for (int i = 0; i < 60; ++i) {
    const auto prefix = 4 + random() % 29;
    networks.push_back({network_of(IpAddress::v4(random() * 2), prefix, 0), static_cast<std::uint8_t>(96 + prefix)});
  }
  const CidrSet set{networks};
  for (int i = 0; i < 20000; ++i) {
    const auto asked = IpAddress::v4(random() * 2);
    bool expected = false;
    for (const auto& network : networks) expected = expected || network.contains(asked);
    ASSERT_EQ(set.contains(asked), expected) << format_address(asked);
  }
}

TEST(CidrSet, IsEmptyByDefaultAndHoldsNothing) {
  EXPECT_TRUE(CidrSet().empty());
  EXPECT_FALSE(CidrSet().contains(address("127.0.0.1")));
}

}  // namespace
}  // namespace gatehouse
