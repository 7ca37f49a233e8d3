#include "observe/redact_self_test.hpp"

#include <gtest/gtest.h>

using namespace gatehouse;

TEST(RedactionSelfTest, FindsNoLeakWhateverTheAction) {
  for (const auto action : {RedactAction::kReplace, RedactAction::kHash, RedactAction::kMask, RedactAction::kDrop}) {
    RedactOptions options;
    options.action = action;
    std::string problem;
    for (const std::string& leak : redaction_self_test(*Redactor::make(options, problem))) ADD_FAILURE() << leak;
  }
}
