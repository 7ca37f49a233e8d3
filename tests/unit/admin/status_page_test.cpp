#include "admin/status_page.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace gatehouse::admin {
namespace {

TEST(StatusPage, HoldsItsStyleAndItsScript) {
  const StatusPage page = make_status_page();
  EXPECT_NE(page.html.find(kStatus_css), std::string::npos);
  EXPECT_NE(page.html.find(kStatus_js), std::string::npos);
  EXPECT_EQ(page.html.find("@@"), std::string::npos);
  EXPECT_NE(page.policy.find("default-src 'none'; script-src 'sha256-"), std::string::npos) << page.policy;
}

TEST(ErrorsJson, TellsTheNewestFirstWhateverBytesTheyHold) {
  std::vector<observe::RecentError> errors(3);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    errors[i].time = std::chrono::system_clock::time_point(std::chrono::seconds(i));
    errors[i].status = 500 + static_cast<int>(i);
    errors[i].path = "/\"\\\xff\n</script>";
  }
  const std::string text = errors_json(errors, 2);
  const auto told = boost::json::parse(text).as_array();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].at("status").as_int64(), 502);
  EXPECT_EQ(told[1].at("status").as_int64(), 501);
  EXPECT_EQ(boost::json::parse(errors_json({})).as_array().size(), 0U);
}

TEST(HostIsOurs, OnlyUnderAddressesAndLocalhostForClientsOnThisMachine) {
  for (const std::string_view host : {"localhost", "LOCALHOST:9901", "a.localhost", "127.0.0.1:9901", "10.1.2.3", "[::1]", "[::1]:9901"})
    EXPECT_TRUE(host_is_ours(host, true)) << host;
  for (const std::string_view host : {"", "evil.example", "evil.example:9901", "notlocalhost", "localhost.evil.example", "127.0.0.1.evil.example"})
    EXPECT_FALSE(host_is_ours(host, true)) << host;
  EXPECT_TRUE(host_is_ours("gatehouse:9901", false));
}

}  // namespace
}  // namespace gatehouse::admin
