#include "admin/switch_order.hpp"

#include "config/units.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

namespace gatehouse::admin {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::hours kLongestWatch{24};
constexpr milliseconds kLongestP95{9999};  // durations are told apart up to 10 s
constexpr std::int64_t kMostRequests = 1'000'000;
constexpr std::size_t kLongestName = 64;

class Reader {
 public:
  explicit Reader(const boost::json::object& body) : body_(body) {}

  SwitchOrderRead read() {
    if (const auto* const abort = find("abort")) return read_abort(*abort);
    SwitchOrder& order = result_.order;
    order.to = text("to");
    order.percent = static_cast<unsigned>(number("percent", order.percent, 1, 100));
    order.watch = duration("watch", std::chrono::seconds(1), kLongestWatch).value_or(order.watch);
    order.max_p95 = duration("max_p95", milliseconds(1), kLongestP95);
    order.max_error_ratio = ratio("max_error_ratio");
    order.min_requests = static_cast<std::uint64_t>(number("min_requests", static_cast<std::int64_t>(order.min_requests), 1, kMostRequests));
    refuse_the_rest();
    if (order.to.empty() && result_.problem.empty()) wrong("to is missing: it names the pool that is to get the traffic");
    if (order.watch == milliseconds(0))
      for (const std::string_view key : {"max_p95", "max_error_ratio", "min_requests"})
        if (find(key) != nullptr) wrong(std::string(key) + " says nothing without watch");
    return std::move(result_);
  }

 private:
  SwitchOrderRead read_abort(const boost::json::value& abort) {
    result_.order.abort = true;
    if (!abort.is_bool() || !abort.get_bool()) wrong("abort must be true, or be left out");
    if (body_.size() != 1) wrong("abort stands alone: it goes back from whatever is under way");
    return std::move(result_);
  }

  const boost::json::value* find(std::string_view key) const { return body_.if_contains(boost::json::string_view(key.data(), key.size())); }

  // The first mistake is enough for something so short.
  void wrong(std::string problem) {
    if (result_.problem.empty()) result_.problem = std::move(problem);
  }

  std::string text(std::string_view key) {
    const auto* const value = find(key);
    if (value == nullptr) return {};
    if (value->is_string() && !value->get_string().empty() && value->get_string().size() <= kLongestName)
      return std::string(std::string_view(value->get_string()));
    wrong(std::string(key) + " must be the name of a pool");
    return {};
  }

  std::int64_t number(std::string_view key, std::int64_t otherwise, std::int64_t least, std::int64_t most) {
    const auto* const value = find(key);
    if (value == nullptr) return otherwise;
    if (value->is_int64() && value->get_int64() >= least && value->get_int64() <= most) return value->get_int64();
    wrong(std::string(key) + " must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return otherwise;
  }

  std::optional<milliseconds> duration(std::string_view key, milliseconds least, milliseconds most) {
    const auto* const value = find(key);
    if (value == nullptr) return std::nullopt;
    const std::string bounds = " from " + format_duration(least) + " to " + format_duration(most);
    if (value->is_string()) {
      const Quantity quantity = parse_duration(std::string_view(value->get_string()));
      const milliseconds amount(quantity.amount);
      if (!quantity.problem && amount >= least && amount <= most) return amount;
    }
    wrong(std::string(key) + " must be a duration with its unit, such as \"300ms\" or \"2m\"," + bounds);
    return std::nullopt;
  }

  std::optional<double> ratio(std::string_view key) {
    const auto* const value = find(key);
    if (value == nullptr) return std::nullopt;
    std::optional<double> found;
    if (value->is_string()) found = parse_ratio(std::string_view(value->get_string()));
    if (value->is_double()) found = value->get_double();
    if (value->is_int64()) found = static_cast<double>(value->get_int64());
    if (found && *found >= 0 && *found <= 1) return found;
    wrong(std::string(key) + " must be a part of the requests, such as \"1%\" or 0.01");
    return std::nullopt;
  }

  void refuse_the_rest() {
    constexpr std::string_view kKeys[] = {"to", "percent", "watch", "max_p95", "max_error_ratio", "min_requests"};
    for (const auto& entry : body_)
      if (std::find(std::begin(kKeys), std::end(kKeys), std::string_view(entry.key())) == std::end(kKeys))
        wrong("a key is not known; the keys are to, percent, watch, max_error_ratio, max_p95 and min_requests, or abort alone");
  }

  const boost::json::object& body_;
  SwitchOrderRead result_;
};

}  // namespace

SwitchOrderRead read_switch_order(std::string_view text) {
  if (text.size() > kLargestSwitchOrder) return {{}, "the body is too large"};
  boost::system::error_code error;
  const boost::json::value body = boost::json::parse(boost::json::string_view(text.data(), text.size()), error);
  if (error || !body.is_object()) return {{}, R"(the body must be a JSON object such as {"to": "green"})"};
  return Reader(body.get_object()).read();
}

std::optional<double> parse_ratio(std::string_view text) noexcept {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (percent) value /= 100;
  return value >= 0 && value <= 1 ? std::optional(value) : std::nullopt;
}

}  // namespace gatehouse::admin
