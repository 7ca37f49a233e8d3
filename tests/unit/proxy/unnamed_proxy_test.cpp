#include "proxy/unnamed_proxy.hpp"

#include <gtest/gtest.h>

namespace gatehouse::proxy {
namespace {

const IpAddress kBalancer = parse_address("10.1.2.3").value();

// How many of these requests made it tell.
std::uint32_t notices(UnnamedProxy& watch, const IpAddress& peer, std::uint32_t requests) {
  std::uint32_t told = 0;
  for (std::uint32_t i = 0; i < requests; ++i) told += watch.notice(peer) ? 1 : 0;
  return told;
}

TEST(UnnamedProxy, IsToldOnceAfterAHundredRequestsOfOnePrivateAddress) {
  UnnamedProxy watch;
  EXPECT_EQ(notices(watch, kBalancer, UnnamedProxy::kInARow - 1), 0U);
  EXPECT_TRUE(watch.notice(kBalancer));
  EXPECT_EQ(notices(watch, kBalancer, 1000), 0U);
}

TEST(UnnamedProxy, ClientsOfTheInternetMayPretendWhatTheyLike) {
  UnnamedProxy watch;
  EXPECT_EQ(notices(watch, parse_address("203.0.113.7").value(), 1000), 0U);
  EXPECT_EQ(notices(watch, parse_address("2001:db8::1").value(), 1000), 0U);
}

TEST(UnnamedProxy, SeveralAddressesAreNotOneProxy) {
  UnnamedProxy watch;
  for (std::uint32_t i = 0; i < 10; ++i) {
    EXPECT_EQ(notices(watch, kBalancer, 60), 0U);
    EXPECT_EQ(notices(watch, parse_address("fd00::1").value(), 60), 0U);
  }
}

TEST(UnnamedProxy, OneStrayRequestOnlyDelaysIt) {
  UnnamedProxy watch;
  notices(watch, kBalancer, 50);
  watch.notice(parse_address("203.0.113.7").value());
  EXPECT_EQ(notices(watch, kBalancer, UnnamedProxy::kInARow), 1U);
}

}  // namespace
}  // namespace gatehouse::proxy
