// What `gatehouse switch` asks for, as the body of POST /switch: read strictly, within bounds. Values. Trusts nobody.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::admin {

struct SwitchOrder {
  bool abort = false;  // go back to where the traffic came from; nothing else counts then
  std::string to;
  unsigned percent = 100;               // of the requests, to that pool
  std::chrono::milliseconds watch{0};   // zero: the traffic moves, and that is all
  std::optional<double> max_error_ratio;
  std::optional<std::chrono::milliseconds> max_p95;
  std::uint64_t min_requests = 20;      // fewer of them decide nothing
  bool operator==(const SwitchOrder&) const = default;
};

inline constexpr std::size_t kLargestSwitchOrder = 4096;

struct SwitchOrderRead {
  SwitchOrder order;
  std::string problem;  // empty: there is none. Else a sentence, fit for whoever wrote it
};

// {"to": "green", "percent": 10, "watch": "2m", "max_error_ratio": "1%", "max_p95": "300ms", "min_requests": 20}, where all but `to` may be
// missing and a ratio may be a number from 0 to 1, too; or {"abort": true}. No other keys, no other types.
SwitchOrderRead read_switch_order(std::string_view text);

// `1%`, `0.5%` or `0.01`, from 0 to 1; nothing for anything else.
std::optional<double> parse_ratio(std::string_view text) noexcept;

}  // namespace gatehouse::admin
