#include "admin/switch_report.hpp"

#include "observe/json_writer.hpp"
#include "observe/log_sink.hpp"

#include <boost/json.hpp>

namespace gatehouse::admin {
namespace {

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

boost::json::object to_json(const TrafficShares& traffic) {
  boost::json::object shares;
  shares[traffic.base] = 100 - traffic.percent;
  if (traffic.percent != 0) shares[traffic.target] = traffic.percent;
  return shares;
}

boost::json::array to_json(const std::vector<WatchedPool>& pools) {
  boost::json::array all;
  for (const WatchedPool& one : pools) {
    boost::json::object pool{{"pool", one.pool}, {"requests", one.requests}, {"failures", one.failures}, {"error_ratio", one.error_ratio}};
    if (one.p95) pool["p95_seconds"] = seconds(*one.p95);
    if (one.before) pool["before"] = true;
    all.push_back(std::move(pool));
  }
  return all;
}

}  // namespace

std::string_view name(SwitchResult result) noexcept {
  switch (result) {
    case SwitchResult::kMoved:
      return "moved";
    case SwitchResult::kSplit:
      return "split";
    case SwitchResult::kUnchanged:
      return "unchanged";
    case SwitchResult::kRolledBack:
      return "rolled_back";
    case SwitchResult::kAborted:
      return "aborted";
    case SwitchResult::kRefused:
      return "refused";
  }
  return "refused";
}

boost::json::object to_json(const SwitchReport& report) {
  char time[24];
  boost::json::object page{{"result", name(report.result)}, {"message", report.message}};
  page["time"] = std::string_view(time, write_rfc3339(time, report.time));
  page["traffic"] = to_json(report.traffic);
  if (!report.watched.empty()) {
    page["watched_seconds"] = seconds(report.duration);
    page["watched"] = to_json(report.watched);
  }
  page["notes"] = boost::json::array(report.notes.begin(), report.notes.end());
  return page;
}

boost::json::object to_json(const SwitchState& state) {
  boost::json::object page;
  page["pools"] = boost::json::array(state.pools.begin(), state.pools.end());
  page["traffic"] = to_json(state.traffic);
  if (state.running) {
    boost::json::object& running = page["running"].emplace_object();
    running["to"] = state.running->to;
    running["step"] = state.running->step;
    running["seconds_left"] = seconds(state.running->left);
    if (!state.running->watched.empty()) running["watched"] = to_json(state.running->watched);
  }
  if (state.last) page["last"] = to_json(*state.last);
  return page;
}

}  // namespace gatehouse::admin
