#include "filters/rate_fields.hpp"

#include <algorithm>
#include <charconv>

namespace gatehouse {
namespace {

constexpr std::size_t kNumberRoom = 20;

// A text that is put together in the arena, in room that was reckoned beforehand.
class Composer {
 public:
  Composer(Arena& arena, std::size_t room)
      : begin_(static_cast<char*>(arena.allocate(room))), at_(begin_), end_(begin_ + room) {}

  Composer& operator<<(std::string_view text) noexcept {
    at_ = std::copy_n(text.data(), std::min(text.size(), static_cast<std::size_t>(end_ - at_)), at_);
    return *this;
  }
  Composer& operator<<(std::uint64_t number) noexcept {
    at_ = std::to_chars(at_, end_, number).ptr;
    return *this;
  }
  std::string_view text() const noexcept { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }

 private:
  char* begin_;
  char* at_;
  char* end_;
};

}  // namespace

std::string_view decimal_text(std::uint64_t number, Arena& arena) {
  char room[kNumberRoom];
  const auto end = std::to_chars(room, room + sizeof(room), number).ptr;
  return arena.copy({room, static_cast<std::size_t>(end - room)});
}

std::uint64_t seconds_up(RateDuration duration) noexcept {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::seconds>(duration).count()));
}

std::string rate_policy_item(std::string_view name, std::uint64_t quota, RateDuration window) {
  const auto seconds = std::max<std::uint64_t>(1, seconds_up(window));
  const auto whole = std::chrono::duration_cast<RateDuration>(std::chrono::seconds(seconds));
  const auto told =
      static_cast<std::uint64_t>(static_cast<long double>(quota) * static_cast<long double>(whole.count()) /
                                 static_cast<long double>(window.count()));
  return '"' + std::string(name) + "\";q=" + std::to_string(told) + ";w=" + std::to_string(seconds);
}

void add_ietf_fields(Response& response, std::span<const RateStanding> standings) {
  if (standings.empty()) return;
  Arena& arena = response.headers.arena();
  std::size_t policy_room = 0;
  std::size_t limit_room = 0;
  for (const RateStanding& standing : standings) {
    policy_room += standing.policy_item.size() + 1;
    limit_room += standing.name.size() + 2 * kNumberRoom + 9;
  }
  Composer policies(arena, policy_room);
  Composer limits(arena, limit_room);
  for (const RateStanding& standing : standings) {
    const std::string_view comma = &standing == standings.data() ? "" : ",";
    policies << comma << standing.policy_item;
    limits << comma << "\"" << standing.name << "\";r=" << standing.remaining;
    if (standing.more_after > RateDuration::zero()) limits << ";t=" << seconds_up(standing.more_after);
  }
  response.headers.add_view("ratelimit-policy", policies.text());
  response.headers.add_view("ratelimit", limits.text());
}

void add_legacy_fields(Response& response, std::span<const RateStanding> standings) {
  if (standings.empty()) return;
  const auto& tightest = *std::min_element(standings.begin(), standings.end(), [](const auto& a, const auto& b) {
    return a.remaining != b.remaining ? a.remaining < b.remaining : a.reset_after > b.reset_after;
  });
  auto& headers = response.headers;
  const auto told = headers.value("x-ratelimit-remaining");
  std::uint64_t applications = 0;
  const auto [end, error] = std::from_chars(told.data(), told.data() + told.size(), applications);
  const bool is_number = error == std::errc{} && end == told.data() + told.size();
  if (is_number && applications <= tightest.remaining) return;
  Arena& arena = headers.arena();
  headers.set_view("x-ratelimit-limit", decimal_text(tightest.limit, arena));
  headers.set_view("x-ratelimit-remaining", decimal_text(tightest.remaining, arena));
  headers.set_view("x-ratelimit-reset", decimal_text(seconds_up(tightest.reset_after), arena));
}

}  // namespace gatehouse
