#include "observe/redact_self_test.hpp"

#include <gtest/gtest.h>

using namespace gatehouse;

namespace {

SelfTestResult tested(const RedactOptions& options) {
  std::string problem;
  return redaction_self_test(*Redactor::make(options, problem), options.names);
}

}  // namespace

TEST(RedactionSelfTest, FindsNoLeakWhateverTheAction) {
  for (const auto action : {RedactAction::kReplace, RedactAction::kHash, RedactAction::kMask, RedactAction::kDrop}) {
    RedactOptions options;
    options.action = action;
    const SelfTestResult result = tested(options);
    EXPECT_GE(result.canaries, 15u);
    for (const std::string& leak : result.leaks) ADD_FAILURE() << leak;
  }
}

TEST(RedactionSelfTest, TriesTheNamesThatTheConfigurationAdds) {
  RedactOptions options;
  options.names = {"ssn", "X-Internal-Id", "password_reset_url", "userId", "nested[pin]"};
  for (const std::string& leak : tested(options).leaks) ADD_FAILURE() << leak;
}

TEST(RedactionSelfTest, TellsOfANameThatHidesNothing) {
  RedactOptions options;
  options.names = {"***"};
  const SelfTestResult result = tested(options);
  ASSERT_FALSE(result.leaks.empty());
  EXPECT_NE(result.leaks.front().find("the value of \"***\" comes out of"), std::string::npos) << result.leaks.front();
}
