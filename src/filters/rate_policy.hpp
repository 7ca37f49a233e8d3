// The settings of one limit: plain values with their defaults, their keys in the configuration, and how they are read.
#pragma once

#include "config/config.hpp"
#include "filters/rate_key.hpp"
#include "filters/rate_redis_url.hpp"
#include "http/address.hpp"

#include <gatehouse/options.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse {

// Which fields tell clients where they stand.
enum class RateFields : std::uint8_t {
  kIetf,    // RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10)
  kLegacy,  // X-RateLimit-Limit, -Remaining, -Reset (seconds)
  kBoth,
  kNone
};

// Where the counts of several processes come together.
struct RateStore {
  // What happens to a request when Redis does not answer in time.
  enum class OnError : std::uint8_t {
    kLocal,  // this process's own count decides
    kAllow,
    kDeny
  };
  RedisAddress address;
  std::string ca_file;
  std::chrono::milliseconds timeout{50};
  OnError on_error = OnError::kLocal;
  bool operator==(const RateStore&) const = default;
};

struct RatePolicy {
  std::string name;
  RateKeySpec key;
  std::uint64_t quota = 0;
  RateDuration window{};
  std::uint64_t burst = 0;  // 0: the quota
  std::uint64_t cost = 1;
  std::vector<std::string> methods;  // none: all; GET counts HEAD too
  CidrSet exempt_addresses;
  std::vector<std::string> exempt_paths;  // /livez, or /static/* for everything below
  bool shadow = false;                    // counts, and refuses nothing
  RateFields fields = RateFields::kIetf;
  std::size_t max_keys = 100000;
  // Only responses with these statuses count: a shield against guessing. Requests on their way count until answered.
  std::vector<StatusRange> count_statuses;
  RateLockout lockout;
  bool clear_on_success = true;
  std::optional<RateStore> store;  // none: this process's memory

  bool counts_failures() const noexcept { return !count_statuses.empty(); }
  bool counts(int status) const noexcept;
  RateRule rule() const noexcept { return {quota, window, burst == 0 ? quota : burst, lockout}; }
  // Equal where counts of one policy mean the same to the other.
  std::string definition() const;
};

// Paths that a limit lets through, as a setting; and whether one of them is meant: itself, or with /* at the end
// everything below.
KeySpec exempt_paths_key(std::string_view name, const std::vector<std::string>& defaults, std::string_view doc);
bool path_is_exempt(std::string_view path, std::string_view pattern) noexcept;

// What is counted by, as settings: the keys `key`, `keys` (which counts where both are there), `ipv4_prefix` and
// `ipv6_prefix`; and reading them.
std::vector<KeySpec> rate_key_keys();
RateKeySpec read_rate_key(const OptionsReader& options);

// The key `rate_limits`: a list of policies, for all requests and again for those of a route.
Section rate_limits_section();
// What the section holds; `options` is a reader that the section's check has passed.
std::vector<RatePolicy> read_rate_policies(OptionsReader& options);

}  // namespace gatehouse
