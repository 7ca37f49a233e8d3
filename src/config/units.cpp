#include "config/units.hpp"

#include <array>
#include <charconv>

namespace gatehouse {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};

constexpr std::array<Unit, 5> kTimeUnits{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::int64_t kLongest = 3650LL * 86'400'000;
constexpr std::array<Unit, 7> kByteUnits{{{"GiB", 1LL << 30},
                                          {"MiB", 1LL << 20},
                                          {"KiB", 1LL << 10},
                                          {"B", 1},
                                          {"GB", 1'000'000'000},
                                          {"MB", 1'000'000},
                                          {"kB", 1000}}};
constexpr std::int64_t kLargest = 1LL << 50;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

std::string_view take_word(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && !is_digit(text[count])) ++count;
  const std::string_view word = text.substr(0, count);
  text.remove_prefix(count);
  return word;
}

// At most `most`, so that no sum of products overflows.
std::optional<std::int64_t> number(std::string_view digits, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || value > most) return std::nullopt;
  return value;
}

Quantity wrong(std::string problem) { return {0, std::move(problem)}; }

}  // namespace

const std::string_view kDurationPattern = "^(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";
const std::string_view kBytesPattern = "^[0-9]+(B|kB|MB|GB|KiB|MiB|GiB)$";

Quantity parse_duration(std::string_view text) {
  if (text.empty() || !is_digit(text[0])) return wrong("is not a duration such as 250ms, 5s or 1h");
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    const auto amount = number(take_digits(text), kLongest);
    if (!amount) return wrong("is too long: at most ten years (3650d)");
    const std::string_view name = take_word(text);
    if (name.empty()) return wrong("has no unit: put ms, s, m, h or d behind the number");
    if (name.starts_with('.') || name.starts_with(','))
      return wrong("has a fraction: write whole numbers, such as 1500ms or 1m30s");
    std::size_t unit = next_unit;
    while (unit < kTimeUnits.size() && kTimeUnits[unit].name != name) ++unit;
    if (unit == kTimeUnits.size()) {
      for (const Unit& known : kTimeUnits)
        if (known.name == name) return wrong("has its units out of order: write the largest first, such as 1m30s");
      return wrong("has an unknown unit: the units are ms, s, m, h and d");
    }
    if (*amount > (kLongest - total) / kTimeUnits[unit].size) return wrong("is too long: at most ten years (3650d)");
    total += *amount * kTimeUnits[unit].size;
    next_unit = unit + 1;
  }
  return {total, std::nullopt};
}

Quantity parse_bytes(std::string_view text) {
  if (text.empty() || !is_digit(text[0])) return wrong("is not a size such as 512B, 16KiB or 10MiB");
  const auto amount = number(take_digits(text), kLargest);
  if (!amount) return wrong("is too large: at most 1048576GiB");
  if (text.empty()) return wrong("has no unit: put B, KiB, MiB or GiB behind the number");
  if (text.starts_with('.') || text.starts_with(','))
    return wrong("has a fraction: write a whole number with a smaller unit");
  for (const Unit& unit : kByteUnits) {
    if (unit.name != text) continue;
    if (*amount > kLargest / unit.size) return wrong("is too large: at most 1048576GiB");
    return {*amount * unit.size, std::nullopt};
  }
  return wrong("has an unknown unit: the units are B, KiB, MiB, GiB, and kB, MB, GB for powers of ten");
}

Quantity parse_integer(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  const bool all_digits = !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  if (all_digits && digits.size() > 1 && digits[0] == '0')
    return wrong("begins with 0, which some YAML readers take for octal: write it without");
  if (!all_digits) return wrong("is not a whole number in decimal digits");
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return wrong("is too large");
  return {value, std::nullopt};
}

std::string format_duration(std::chrono::milliseconds duration) {
  std::int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string text;
  for (const Unit& unit : kTimeUnits) {
    if (rest >= unit.size) text += std::to_string(rest / unit.size) + std::string(unit.name);
    rest %= unit.size;
  }
  return text;
}

std::string format_bytes(Bytes bytes) {
  const auto amount = static_cast<std::int64_t>(bytes);
  for (const Unit& unit : kByteUnits)
    if (amount != 0 && amount % unit.size == 0) return std::to_string(amount / unit.size) + std::string(unit.name);
  return "0B";
}

std::string format_number(double number) {
  std::array<char, 400> text{};  // the longest number without an exponent
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  return error == std::errc{} ? std::string(text.data(), end) : "0";
}

}  // namespace gatehouse
