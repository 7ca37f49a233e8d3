// Asked before the first request is served: does a password really not reach any log? A redactor that was built, or
// configured, so that it does not work must not start.
#pragma once

#include "observe/redactor.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace gatehouse {

struct SelfTestResult {
  std::size_t canaries = 0;
  std::vector<std::string> leaks;  // a sentence for each that came out at the other end; empty when all is well
};

// Sends one canary of each class of secret, and one for each of `names`, which the configuration adds, through every way
// into a log. Takes a few milliseconds.
SelfTestResult redaction_self_test(const Redactor& redactor, std::span<const std::string> names = {});

}  // namespace gatehouse
