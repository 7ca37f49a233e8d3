#include "app/switch_over.hpp"

#include "config/units.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gatehouse {
namespace {

using admin::SwitchReport;
using admin::SwitchResult;
using admin::TrafficShares;
using Clock = std::chrono::steady_clock;

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::chrono::milliseconds kSettleLook{50};
constexpr std::size_t kLookBacks = 6;  // states that are kept of what was

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& one : names) text += (text.empty() ? "" : ", ") + one;
  return text;
}

std::chrono::milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
}

TrafficShares all_to(const std::string& pool) { return {pool, pool, 0}; }

admin::WatchedPool in_report(const std::string& pool, const PoolCounts& counts, bool before) {
  return {pool, counts.requests, counts.failures, counts.error_ratio(), counts.p95(), before};
}

SwitchPlan refuse(std::string message) { return {SwitchPlan::Kind::kRefuse, std::move(message), {}}; }

}  // namespace

SwitchPlan plan_switch(const admin::SwitchOrder& order, const TrafficShares& now, const std::vector<std::string>& pools) {
  using Kind = SwitchPlan::Kind;
  if (pools.size() < 2) return refuse("there is one pool only; name several in upstream.pools");
  if (!holds(pools, order.to)) return refuse("there is no pool of that name; the pools are " + list(pools));
  const bool split = now.percent != 0;
  if (order.to == now.base && !split)
    return order.percent == 100 ? SwitchPlan{Kind::kNothing, order.to + " has all the traffic already", {}}
                                : refuse(order.to + " has all the traffic: name the pool that is to get a part of it");
  if (order.to == now.base)
    return order.percent == 100 && order.watch.count() == 0
               ? SwitchPlan{Kind::kMove, {}, all_to(order.to)}
               : refuse(order.to + " is where the traffic of " + now.target + " came from: say how much " + now.target + " is to get, or --abort");
  if (split && order.to != now.target)
    return refuse(now.target + " has " + std::to_string(now.percent) + " % of the traffic: finish that first, by --to " + now.target + " or --abort");
  const TrafficShares next{now.base, order.to, order.percent};
  if (next == now && order.watch.count() == 0)
    return {Kind::kNothing, order.to + " has " + std::to_string(now.percent) + " % of the traffic already", {}};
  return {Kind::kMove, {}, next};
}

struct SwitchOver::Running {
  explicit Running(boost::asio::io_context& io) : timer(io) {}
  admin::SwitchOrder order;
  TrafficShares next;
  std::vector<Done> waiting;
  boost::asio::steady_timer timer;
  bool moved = false;
  bool settling = false;                 // it is decided
  Clock::time_point moved_at{};
  std::string from;                      // the other pool
  PoolCounts base_start;                 // when the traffic moved
  PoolCounts base_before;                // what it had done lately then
  PoolCounts target_start;
  std::deque<std::uint64_t> sent;        // to the target until each tick
  std::uint64_t overdue = 0;             // wait for longer than the limit
  std::string stayed;                    // why it did not go back when it should have
  struct End {
    SwitchResult result;
    std::string message;
  };
  std::optional<End> interrupted;
};

SwitchOver::SwitchOver(boost::asio::io_context& io, net::TaskGroup& tasks, Traffic& traffic, std::shared_ptr<Logger> log,
                       std::function<void(const TrafficShares&)> told, Pace pace)
    : io_(io), tasks_(tasks), traffic_(traffic), log_(std::move(log)), told_(std::move(told)), pace_(pace), look_(io) {}

SwitchOver::~SwitchOver() = default;

void SwitchOver::start() { look_back(); }

// A switch of everything leaves the other pool without traffic to be compared with: what it did in the last minute has to serve.
void SwitchOver::look_back() {
  if (traffic_.pools().size() > 1) past_.push_back(traffic_.counts(traffic_.shares().base));
  if (past_.size() > kLookBacks) past_.pop_front();
  look_.expires_after(pace_.look_back / kLookBacks);
  look_.async_wait([this](const boost::system::error_code& error) {
    if (!error) look_back();
  });
}

PoolCounts SwitchOver::counts_of_base() const { return traffic_.counts(running_->next.base); }

void SwitchOver::order(const admin::SwitchOrder& order, Done done) {
  if (order.abort) return go_back(std::move(done));
  SwitchPlan plan;
  if (running_)
    plan = refuse("a switch to " + running_->order.to + " is under way; wait for its end, or --abort it");
  else
    plan = plan_switch(order, traffic_.shares(), traffic_.pools());
  if (plan.kind != SwitchPlan::Kind::kMove) {
    SwitchReport report;
    report.result = plan.kind == SwitchPlan::Kind::kNothing ? SwitchResult::kUnchanged : SwitchResult::kRefused;
    report.message = std::move(plan.message);
    return answer(std::move(report), {std::move(done)}, Began::kNo);
  }
  running_ = std::make_unique<Running>(io_);
  running_->order = order;
  const TrafficShares now = traffic_.shares();
  running_->from = order.to == now.base ? now.target : now.base;
  running_->next = std::move(plan.next);
  running_->waiting.push_back(std::move(done));
  log_->event(spdlog::level::info, "a switch of traffic was asked for: checking the pool",
              {{"pool", order.to}, {"percent", order.percent}, {"watch", format_duration(order.watch)}});
  tasks_.spawn(run());
}

boost::asio::awaitable<void> SwitchOver::run() {
  auto check = traffic_.check(running_->order.to);
  const std::string problem = co_await std::move(check);
  if (running_->interrupted) co_return finish(running_->interrupted->result, running_->interrupted->message);
  const admin::SwitchOrder& order = running_->order;
  if (!problem.empty()) co_return finish(SwitchResult::kRefused, order.to + " is not well, nothing has moved: " + problem);
  const TrafficShares& next = running_->next;
  running_->base_start = counts_of_base();
  running_->base_before = running_->base_start.since(past_.empty() ? PoolCounts{} : past_.front());
  running_->target_start = traffic_.counts(order.to);
  running_->moved = true;
  running_->moved_at = Clock::now();
  move(next);
  if (order.watch.count() != 0) co_await watch();
  if (running_->interrupted) co_return finish(running_->interrupted->result, running_->interrupted->message);
  const bool all = order.percent == 100;
  if (all) {
    move(all_to(order.to));
    co_await settle();
  }
  const std::string watched = order.watch.count() == 0 ? std::string() : "; it was watched for " + format_duration(order.watch);
  finish(all ? SwitchResult::kMoved : SwitchResult::kSplit,
         order.to + " has " + (all ? std::string("all the") : std::to_string(order.percent) + " % of the") + " traffic" + watched);
}

boost::asio::awaitable<void> SwitchOver::watch() {
  const auto end = running_->moved_at + running_->order.watch;
  log_->event(spdlog::level::info, "the pool is being watched", {{"pool", running_->order.to}, {"watch", format_duration(running_->order.watch)}});
  while (!running_->interrupted) {
    const auto now = Clock::now();
    if (now >= end) co_return;
    running_->timer.expires_at(std::min<Clock::time_point>(now + pace_.tick, end));
    co_await running_->timer.async_wait(use_result);
    if (running_->interrupted) co_return;
    const auto problem = judge();
    if (problem && !traffic_.is_well(running_->next.base)) {
      stay(*problem);
      continue;
    }
    if (problem)
      interrupt(SwitchResult::kRolledBack, "the traffic is back on " + running_->next.base + ": " + running_->order.to + " did worse than it may: " + *problem);
  }
}

// Back to a pool that is down would be worse than any release that answers.
void SwitchOver::stay(const std::string& problem) {
  const bool first = running_->stayed.empty();
  running_->stayed = running_->order.to + " did worse than it may (" + problem + "), but " + running_->next.base + " is not well: the traffic stayed";
  if (first) log_->event(spdlog::level::warn, running_->stayed, {});
}

// So that whoever stops the other pool's app next breaks nothing off. Streams may last for days, so this has an end.
boost::asio::awaitable<void> SwitchOver::settle() {
  running_->settling = true;
  const auto until = Clock::now() + pace_.settle;
  do {
    running_->timer.expires_after(std::min(kSettleLook, pace_.tick));
    co_await running_->timer.async_wait(use_result);
  } while (!stopped_ && traffic_.counts(running_->from).active != 0 && Clock::now() < until);
}

std::optional<std::string> SwitchOver::judge() {
  Running& run = *running_;
  const PoolCounts target = traffic_.counts(run.order.to).since(run.target_start);
  // Who was sent there before so many ticks and has no answer yet waits for longer than these.
  if (run.order.max_p95) {
    run.sent.push_back(target.requests + target.waiting);
    const auto ticks = static_cast<std::size_t>((*run.order.max_p95 + pace_.tick - std::chrono::milliseconds(1)) / pace_.tick);
    const std::uint64_t before = run.sent.size() > ticks ? run.sent[run.sent.size() - 1 - ticks] : 0;
    run.overdue = before > target.requests ? before - target.requests : 0;
    if (run.sent.size() > ticks) run.sent.pop_front();
  }
  if (!traffic_.is_well(run.order.to)) return "its health checks fail";
  const SwitchJudge judge({run.order.max_error_ratio, run.order.max_p95, run.order.min_requests});
  return judge.problem(target.with_overdue(run.overdue), run.next.percent == 100 ? run.base_before : counts_of_base().since(run.base_start));
}

void SwitchOver::go_back(Done done) {
  const TrafficShares now = traffic_.shares();
  if (running_ && !running_->settling) {
    running_->waiting.push_back(std::move(done));
    return interrupt(SwitchResult::kAborted, "the switch to " + running_->order.to + " was aborted; " + now.base + " has all the traffic");
  }
  SwitchReport report;
  if (now.percent == 0) {
    report.message = "there is nothing to go back from: " + now.base + " has all the traffic";
    if (running_) report.message += ", and only the requests that " + running_->from + " got before are waited for";
  } else {
    move(all_to(now.base));
    report.result = SwitchResult::kAborted;
    report.message = now.base + " has all the traffic again";
  }
  answer(std::move(report), {std::move(done)}, now.percent == 0 ? Began::kNo : Began::kYes);
}

// The traffic goes back at once, the rest follows when the coroutine comes by.
void SwitchOver::interrupt(SwitchResult result, std::string message) {
  if (running_->interrupted || running_->settling) return;
  running_->interrupted = {result, std::move(message)};
  if (running_->moved) move(all_to(running_->next.base));
  running_->timer.cancel();
}

void SwitchOver::finish(SwitchResult result, std::string message) {
  SwitchReport report;
  report.result = result;
  report.message = std::move(message);
  report.watched = watched();
  if (!report.watched.empty()) {
    report.duration = since(running_->moved_at);
    const std::uint64_t seen = report.watched.back().requests;
    if (seen < running_->order.min_requests && result != SwitchResult::kRolledBack)
      report.notes.push_back(std::to_string(seen) + " requests reached " + running_->order.to + " while it was watched, too few to judge it by: " +
                             std::to_string(running_->order.min_requests) + " are needed");
  }
  if (!running_->stayed.empty()) report.notes.push_back(running_->stayed);
  if (running_->settling) {
    const std::uint64_t left = traffic_.counts(running_->from).active;
    if (left != 0)
      report.notes.push_back(running_->from + " is still answering " + std::to_string(left) + (left == 1 ? " request that it got before; it breaks" : " requests that it got before; they break") +
                             " off if it is stopped now");
  }
  const std::vector<Done> waiting = std::exchange(running_->waiting, {});
  running_.reset();
  answer(std::move(report), waiting, Began::kYes);
}

void SwitchOver::answer(SwitchReport report, const std::vector<Done>& waiting, Began began) {
  report.traffic = traffic_.shares();
  report.time = std::chrono::system_clock::now();
  results_[static_cast<std::size_t>(report.result)] += 1;
  const bool bad = report.result == SwitchResult::kRolledBack || report.result == SwitchResult::kRefused;
  log_->event(bad ? spdlog::level::warn : spdlog::level::info, report.message, {{"result", admin::name(report.result)}});
  // What was refused at the door says nothing about the one that is under way, or was.
  if (began == Began::kYes) last_ = report;
  for (const Done& done : waiting) done(report);
}

const char* SwitchOver::step_of(const Running& run) noexcept { return run.settling ? "settling" : run.moved ? "watching" : "checking"; }

std::vector<admin::WatchedPool> SwitchOver::watched() const {
  const Running& run = *running_;
  if (!run.moved || run.order.watch.count() == 0) return {};
  const bool before = run.next.percent == 100;
  const PoolCounts base = before ? run.base_before : counts_of_base().since(run.base_start);
  const PoolCounts target = traffic_.counts(run.order.to).since(run.target_start).with_overdue(run.overdue);
  return {in_report(run.next.base, base, before), in_report(run.order.to, target, false)};
}

void SwitchOver::move(const TrafficShares& shares) {
  const TrafficShares before = traffic_.shares();
  if (shares == before) return;
  traffic_.set(shares);
  if (shares.base != before.base) past_ = {traffic_.counts(shares.base)};
  if (told_) told_(shares);
  const bool split = shares.percent != 0 && shares.percent != 100;
  log_->event(spdlog::level::info, "the traffic has moved", {{"pool", shares.percent == 0 ? shares.base : shares.target},
                                                              {"percent", split ? shares.percent : 100U}});
}

admin::SwitchState SwitchOver::state() const {
  admin::SwitchState state{traffic_.pools(), traffic_.shares(), std::nullopt, last_};
  if (!running_) return state;
  const auto left = running_->order.watch - (running_->moved ? since(running_->moved_at) : std::chrono::milliseconds(0));
  state.running = {running_->order.to, step_of(*running_), std::max(left, std::chrono::milliseconds(0)), watched()};
  return state;
}

void SwitchOver::keep_to(const std::vector<std::string>& pools, const std::string& active) {
  const TrafficShares now = traffic_.shares();
  const bool base_stays = holds(pools, now.base);
  const std::string& other = running_ && !running_->settling ? running_->order.to : now.percent != 0 ? now.target : now.base;
  const bool other_stays = holds(pools, other);
  if (base_stays && other_stays) return;
  const std::string gone = "the configuration no longer has the pool " + (base_stays ? other : now.base);
  // Where the one that everything came from has gone, the one that had a part is what is left; unless nothing has moved there yet.
  const std::string heir = base_stays ? now.base : other_stays && now.percent != 0 ? now.target : active;
  if (running_ && !running_->interrupted && !running_->settling) {
    running_->moved = false;
    interrupt(base_stays ? SwitchResult::kRolledBack : SwitchResult::kAborted, gone + ": " + heir + " has all the traffic");
  } else {
    log_->warn("{}: {} has all the traffic", gone, heir);
  }
  move(all_to(heir));
}

bool SwitchOver::restore(const TrafficShares& shares) {
  const std::vector<std::string> pools = traffic_.pools();
  if (!holds(pools, shares.base) || !holds(pools, shares.target)) return false;
  move(shares);
  return true;
}

void SwitchOver::stop() {
  look_.cancel();
  stopped_ = true;
  if (running_) running_->timer.cancel();
  if (running_) interrupt(SwitchResult::kAborted, "Gatehouse is stopping");
}

std::vector<admin::Family> SwitchOver::families() const {
  if (traffic_.pools().size() < 2) return {};
  admin::Family switches{"gatehouse_upstream_switches_total", "Switches of traffic between pools that were asked for, by result.", true, {}};
  for (std::size_t i = 0; i < results_.size(); ++i)
    switches.samples.push_back({{{"result", std::string(admin::name(static_cast<SwitchResult>(i)))}}, static_cast<double>(results_[i])});
  return {std::move(switches)};
}

std::string to_line(const TrafficShares& shares) { return shares.base + ' ' + shares.target + ' ' + std::to_string(shares.percent); }

std::optional<TrafficShares> shares_of_line(const std::string& line) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string::npos ? first : line.find(' ', first + 1);
  if (first == 0 || second == std::string::npos || second == first + 1) return std::nullopt;
  const Quantity percent = parse_integer(std::string_view(line).substr(second + 1));
  if (percent.problem || percent.amount < 0 || percent.amount > 100) return std::nullopt;
  return TrafficShares{line.substr(0, first), line.substr(first + 1, second - first - 1), static_cast<unsigned>(percent.amount)};
}

}  // namespace gatehouse
