// What became of a switch of traffic, and where the traffic goes now; as JSON for GET and POST /switch. Values.
#pragma once

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::admin {

// Who gets the requests. Where `percent` is 0, `base` has them all.
struct TrafficShares {
  std::string base;
  std::string target;
  unsigned percent = 0;  // to the target
  bool operator==(const TrafficShares&) const = default;
};

enum class SwitchResult : std::uint8_t {
  kMoved,       // the pool has all the traffic
  kSplit,       // the pool has its part
  kUnchanged,   // it had that before
  kRolledBack,  // it was worse than it may be: the traffic is back
  kAborted,     // somebody asked for it: the traffic is back
  kRefused,     // nothing has moved
};
std::string_view name(SwitchResult result) noexcept;

// What was counted of one pool since the traffic moved, or, of a pool that gets none since then, before.
struct WatchedPool {
  std::string pool;
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  double error_ratio = 0;
  std::optional<std::chrono::nanoseconds> p95;
  bool before = false;
};

struct SwitchReport {
  SwitchResult result = SwitchResult::kRefused;
  std::string message;                 // what happened and why: one sentence
  std::vector<std::string> notes;      // what else is worth knowing, a sentence each
  std::vector<WatchedPool> watched;    // base and target; empty where nothing was watched
  std::chrono::milliseconds duration{0};  // from the move to the end of the watch
  TrafficShares traffic;               // afterwards
  std::chrono::system_clock::time_point time;  // when it was over
};

struct SwitchState {
  struct Running {
    std::string to;
    std::string step;  // "checking", "watching", "settling"
    std::chrono::milliseconds left{0};
    std::vector<WatchedPool> watched;
  };
  std::vector<std::string> pools;
  TrafficShares traffic;
  std::optional<Running> running;
  std::optional<SwitchReport> last;
};

boost::json::object to_json(const SwitchReport& report);
boost::json::object to_json(const SwitchState& state);

}  // namespace gatehouse::admin
