#include "observe/recent_errors.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace gatehouse::observe {
namespace {

RecentError error(int status, std::string id) {
  RecentError made;
  made.status = status;
  made.request_id = std::move(id);
  return made;
}

TEST(RecentErrors, KeepTheLastOnes) {
  RecentErrors errors;
  for (std::size_t i = 0; i < RecentErrors::kMost + 7; ++i) errors.add(error(502, std::to_string(i)));
  const auto all = errors.all();
  EXPECT_EQ(all.size(), RecentErrors::kMost);
  EXPECT_TRUE(std::none_of(all.begin(), all.end(), [](const auto& one) { return one.request_id == "6"; }));
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const auto& one) { return one.request_id == "7"; }));
}

TEST(RecentErrors, AFloodOfRefusalsWashesNoFailureAway) {
  RecentErrors errors;
  errors.add(error(502, "failure"));
  for (int i = 0; i < 1000; ++i) errors.add(error(429, "refusal"));
  const auto all = errors.all();
  EXPECT_EQ(all.size(), RecentErrors::kMost + 1);
  EXPECT_EQ(all.front().request_id, "failure");
}

}  // namespace
}  // namespace gatehouse::observe
