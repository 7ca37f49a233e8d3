#include "filters/rate_redis_script.hpp"

#include <boost/container/small_vector.hpp>
#include <charconv>

namespace gatehouse {
namespace {

// Each key holds its moment (see rate_rule.hpp) and expires with it. A shadow policy never stops the others and takes
// only what it would let pass.
constexpr std::string_view kScript = R"(
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local from, to, over, pass = {}, {}, {}, true
for i = 1, #KEYS do
  local a = i * 4
  from[i] = math.max(tonumber(redis.call('GET', KEYS[i]) or 0) or 0, now)
  to[i] = from[i] + ARGV[a - 1] * ARGV[a - 3]
  over[i] = math.max(to[i] - now - ARGV[a - 2], 0)
  if over[i] > 0 and ARGV[a] == '0' then pass = false end
end
local answer = {}
for i = 1, #KEYS do
  local owed = from[i] - now
  if pass and over[i] == 0 then
    owed = to[i] - now
    redis.call('SET', KEYS[i], string.format('%.0f', to[i]), 'PX', string.format('%.0f', math.ceil(owed / 1000)))
  end
  answer[i * 2 - 1] = over[i]
  answer[i * 2] = owed
end
return answer
)";

class Digits {
 public:
  explicit Digits(std::uint64_t number) noexcept
      : size_(static_cast<std::size_t>(std::to_chars(text_, text_ + sizeof(text_), number).ptr - text_)) {}
  std::string_view text() const noexcept { return {text_, size_}; }

 private:
  char text_[20];
  std::size_t size_;
};

// Rounded up: never more often than the rule allows.
std::uint64_t microseconds(RateDuration duration) noexcept {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::microseconds>(duration).count());
}

}  // namespace

std::string_view rate_script() noexcept { return kScript; }

void append_rate_question(std::string& to, std::string_view script_sha, std::span<const RateRedisAsk> asks) {
  boost::container::small_vector<Digits, 16> numbers;
  numbers.reserve(1 + 3 * asks.size());  // the words point there
  boost::container::small_vector<std::string_view, 32> words{"EVALSHA", script_sha};
  const auto add = [&](std::uint64_t number) { words.push_back(numbers.emplace_back(number).text()); };
  add(asks.size());
  for (const RateRedisAsk& ask : asks) words.push_back(ask.key);
  for (const RateRedisAsk& ask : asks) {
    const auto interval = microseconds(ask.rule.interval());
    add(interval);
    add(interval * ask.rule.burst());
    add(ask.cost);
    words.push_back(ask.shadow ? "1" : "0");
  }
  append_redis_command(to, words);
}

result<void> read_rate_answers(const RedisReply& reply, std::span<RateRedisAnswer> answers) noexcept {
  const auto malformed = make_error_code(errc::malformed);
  if (reply.kind != RedisReply::Kind::kIntegers || reply.count != 2 * answers.size()) return malformed;
  constexpr std::int64_t kMost = std::int64_t{10} * 365 * 24 * 3600 * 1000000;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto over = reply.integers[2 * i];
    const auto owed = reply.integers[2 * i + 1];
    if (over < 0 || owed < 0 || over > kMost || owed > kMost) return malformed;
    answers[i] = {std::chrono::microseconds(over), std::chrono::microseconds(owed)};
  }
  return {};
}

}  // namespace gatehouse
