// The decision as Redis makes it: one atomic script for all policies of a request, GCRA as in rate_rule.hpp, in whole
// microseconds of Redis's own clock, so that all processes that ask share one time. Pure functions.
#pragma once

#include "filters/rate_rule.hpp"
#include "redis/protocol.hpp"

#include <span>
#include <string>
#include <string_view>

namespace gatehouse {

// For SCRIPT LOAD; EVALSHA names it by its SHA-1.
std::string_view rate_script() noexcept;

struct RateRedisAsk {
  std::string_view key;
  RateRule rule;
  std::uint64_t cost = 1;
  bool shadow = false;
};
struct RateRedisAnswer {
  RateDuration over{};  // how long until the cost could pass; 0: it passes
  RateDuration owed{};  // after this request, or as before where any of the policies refused it
};

// Appends the question whether all of `asks` let the request pass. At most RedisReply::kMostIntegers / 2 of them.
void append_rate_question(std::string& to, std::string_view script_sha, std::span<const RateRedisAsk> asks);
// The answers in the same order; malformed where the reply is of another shape.
result<void> read_rate_answers(const RedisReply& reply, std::span<RateRedisAnswer> answers) noexcept;

}  // namespace gatehouse
