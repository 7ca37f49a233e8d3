#include "app/pool_traffic.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>

namespace gatehouse {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::milliseconds kHurry{100};   // between two questions to the same address
constexpr std::chrono::seconds kSlack{1};          // beyond the time-out of each question

}  // namespace

admin::TrafficShares PoolTraffic::shares() const {
  const upstream::Shares shares = serving_.split().load();
  return {serving_.pool_name(shares.base), serving_.pool_name(shares.target), shares.percent};
}

void PoolTraffic::set(const admin::TrafficShares& shares) {
  const auto base = serving_.pool_id(shares.base);
  const auto target = serving_.pool_id(shares.target);
  if (base && target) serving_.split().store({*base, *target, shares.percent});
}

PoolCounts PoolTraffic::counts(const std::string& pool) const {
  const observe::PoolTotals totals = serving_.totals(pool);
  return {totals.requests, totals.failures, totals.waiting, totals.active, totals.durations};
}

// The checks that run anyhow are hurried, so that there is one opinion about an address and not two.
boost::asio::awaitable<std::string> PoolTraffic::check(std::string pool) {
  std::map<std::string, std::uint64_t> before;
  for (const auto& state : checks_.pool_state(pool)) before[state.address] = state.answers;
  const Gate gate = gate_();
  const auto patience = gate.rise * (gate.timeout + kHurry) + kSlack;
  const auto until = Clock::now() + patience;
  auto hurried = Clock::time_point{};
  boost::asio::steady_timer timer(io_);
  for (;;) {
    std::string slow;
    for (const auto& state : checks_.pool_state(pool)) {
      const std::uint64_t answers = state.answers - std::min(state.answers, before[state.address]);
      if (answers != 0 && !state.error.empty()) co_return state.address + " " + state.error;
      if (answers < static_cast<std::uint64_t>(gate.rise) || state.good_in_a_row < gate.rise) slow = state.address;
    }
    if (slow.empty()) co_return std::string();
    const auto now = Clock::now();
    if (now >= until) co_return slow + " was not asked in time";
    if (now - hurried >= kHurry) {
      checks_.hurry(pool);
      hurried = now;
    }
    timer.expires_at(now + kLook);
    co_await timer.async_wait(use_result);
  }
}

bool PoolTraffic::is_well(const std::string& pool) const {
  const auto states = checks_.pool_state(pool);
  // An address that a reload has just brought has not been asked yet.
  return std::any_of(states.begin(), states.end(), [](const auto& state) { return state.healthy || !state.answered; });
}

std::string shares_text(const admin::TrafficShares& shares) {
  std::string text = shares.base + " " + std::to_string(100 - shares.percent) + " %";
  if (shares.percent != 0) text += ", " + shares.target + " " + std::to_string(shares.percent) + " %";
  return text;
}

}  // namespace gatehouse
