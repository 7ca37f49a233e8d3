#include "http/head_error.hpp"

#include <gtest/gtest.h>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace gatehouse::http {
namespace {

TEST(HeadError, EveryReasonHasANameOfItsOwnAStatusAndASentence) {
  std::set<std::string_view> names;
  for (auto error = HeadError{}; error <= HeadError::unexpected_switch;
       error = static_cast<HeadError>(static_cast<int>(error) + 1)) {
    EXPECT_TRUE(names.insert(name(error)).second) << name(error);
    EXPECT_EQ(name(error).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string_view::npos)
        << name(error);
    EXPECT_GE(status(error), 400) << name(error);
    EXPECT_GT(title(error).size(), 10u) << name(error);
    // A sentence without markup fits into JSON and a log line as it is.
    EXPECT_EQ(title(error).find_first_of("\"\\<>\n"), std::string_view::npos) << name(error);
  }
}

TEST(HeadError, OnlyWhatTheAppDidIsABadGateway) {
  EXPECT_EQ(status(HeadError::malformed_status_line), 502);
  EXPECT_EQ(status(HeadError::unexpected_informational), 502);
  EXPECT_EQ(status(HeadError::unexpected_switch), 502);
  for (auto error = HeadError{}; error < HeadError::malformed_status_line;
       error = static_cast<HeadError>(static_cast<int>(error) + 1))
    EXPECT_NE(status(error), 502) << name(error);
}

TEST(HeadError, EveryReasonARequestIsRefusedForIsDocumentedWithItsStatus) {
  std::ifstream file(GATEHOUSE_SOURCE_DIR "/src/proxy/reasons.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  for (auto error = HeadError{}; error < HeadError::malformed_status_line;
       error = static_cast<HeadError>(static_cast<int>(error) + 1)) {
    const std::string row = "| `" + std::string(name(error)) + "` | " + std::to_string(status(error)) + " | ";
    EXPECT_NE(page.find(row), std::string::npos) << "no row in reasons.md: " << row;
  }
}

}  // namespace
}  // namespace gatehouse::http
