// How a limit is told to clients: RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10), or the
// X-RateLimit fields in use before. What the application says itself stays: ours are further items of the same lists,
// and of single values the lower one stands. Pure functions; texts lie in the exchange's arena.
#pragma once

#include "filters/rate_rule.hpp"

#include <gatehouse/message.hpp>

#include <span>
#include <string>

namespace gatehouse {

// Whole seconds that are not too short.
std::uint64_t seconds_up(RateDuration duration) noexcept;
std::string_view decimal_text(std::uint64_t number, Arena& arena);

// `"name";q=100;w=60`. The draft knows whole seconds only: a shorter or broken window is told as what it means for the
// next whole number of them.
std::string rate_policy_item(std::string_view name, std::uint64_t quota, RateDuration window);

struct RateStanding {
  std::string_view policy_item;  // from rate_policy_item()
  std::string_view name;
  std::uint64_t limit = 0;
  std::uint64_t remaining = 0;
  RateDuration more_after{};   // until there is more than `remaining`
  RateDuration reset_after{};  // until everything is there
};

void add_ietf_fields(Response& response, std::span<const RateStanding> standings);
// Of several limits the one with the least remaining is told.
void add_legacy_fields(Response& response, std::span<const RateStanding> standings);

}  // namespace gatehouse
