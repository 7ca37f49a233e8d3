// Durations and sizes as users write them: numbers with units.
#pragma once

#include <gatehouse/options.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

// A number, or why the text is none ("has no unit: ..."), as the end of a sentence.
struct Quantity {
  std::int64_t amount = 0;
  std::optional<std::string> problem;
};

// `250ms`, `5s`, `1m30s`, `1h`, `7d`: whole numbers, largest unit first, at most ten years. In milliseconds.
Quantity parse_duration(std::string_view text);
// `512B`, `16KiB`, `10MiB`, `1GiB`, and the decimal kB, MB, GB. At most 1 PiB.
Quantity parse_bytes(std::string_view text);
// A whole number in decimal, without sign tricks, leading zeros or separators.
Quantity parse_integer(std::string_view text);

// The shortest text that parses to the same.
std::string format_duration(std::chrono::milliseconds duration);
std::string format_bytes(Bytes bytes);
std::string format_number(double number);

// For editors: what parse_duration, parse_bytes take.
extern const std::string_view kDurationPattern;
extern const std::string_view kBytesPattern;

}  // namespace gatehouse
