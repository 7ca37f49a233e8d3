// Keys that more than one section has, and the bounds of the others.
#pragma once

#include "config/config.hpp"

#include <gatehouse/options.hpp>

#include <utility>

namespace gatehouse::keys {

// Defaults come from the structs, so that a Config made in code and one made from a file agree.

inline constexpr std::int64_t kMost = 1'000'000;
inline constexpr milliseconds kNone{0};
inline constexpr milliseconds kShortest{1};
inline constexpr milliseconds kDay = hours{24};

inline KeySpec at_least_one(KeySpec spec) { return std::move(spec).within(1, kMost); }
inline KeySpec a_while(KeySpec spec) { return std::move(spec).within(kShortest, kDay); }
inline KeySpec a_while_or_none(KeySpec spec) { return std::move(spec).within(kNone, kDay); }

inline std::vector<KeySpec> probe_keys(const Probe& defaults) {
  return {
      a_while(key::duration("interval", defaults.interval, "Time from one probe to the next.")),
      a_while(key::duration("timeout", defaults.timeout, "How long one probe may take.")),
      key::integer("rise", defaults.rise, "Good answers in a row after which it counts as healthy.").within(1, 1000),
      key::integer("fall", defaults.fall, "Bad answers in a row after which it counts as unhealthy.").within(1, 1000),
  };
}

inline KeySpec expect_status(std::string_view doc) {
  return key::text("expect_status", "200-399", doc).of_format(format::kStatusRange);
}

}  // namespace gatehouse::keys
