#include "commands/switch_text.hpp"

#include "app/switch_judge.hpp"
#include "config/units.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstdio>

namespace gatehouse {
namespace {

using boost::json::object;
using boost::json::value;

const value* find(const object& page, std::string_view key) { return page.if_contains(boost::json::string_view(key.data(), key.size())); }

std::string text_of(const object& page, std::string_view key) {
  const value* const found = find(page, key);
  return found != nullptr && found->is_string() ? std::string(std::string_view(found->get_string())) : std::string();
}

double number_of(const object& page, std::string_view key) {
  const value* const found = find(page, key);
  boost::system::error_code none;
  return found != nullptr && found->is_number() ? found->to_number<double>(none) : 0;
}

const object* object_of(const object& page, std::string_view key) {
  const value* const found = find(page, key);
  return found != nullptr ? found->if_object() : nullptr;
}

constexpr std::chrono::seconds kLongest{10};  // durations are told apart so far

std::string row(const std::string& name, const std::string& requests, const std::string& failed, const std::string& p95) {
  char line[256];
  const int size = std::snprintf(line, sizeof line, "  %-22s %9s  %7s  %9s\n", name.c_str(), requests.c_str(), failed.c_str(), p95.c_str());
  return {line, static_cast<std::size_t>(std::clamp(size, 0, static_cast<int>(sizeof line) - 1))};
}

std::string table_of(const object& page) {
  const value* const watched = find(page, "watched");
  if (watched == nullptr || !watched->is_array()) return {};
  std::string text = row("", "requests", "failed", "p95");
  for (const value& entry : watched->get_array()) {
    const object* const pool = entry.if_object();
    if (pool == nullptr) continue;
    const bool before = find(*pool, "before") != nullptr;
    const std::chrono::nanoseconds p95(static_cast<std::int64_t>(std::clamp(number_of(*pool, "p95_seconds"), 0.0, 1e6) * 1e9));
    text += row(text_of(*pool, "pool") + (before ? ", before" : ""), format_number(number_of(*pool, "requests")), percent_text(number_of(*pool, "error_ratio")),
                p95.count() == 0 ? "-" : p95 >= kLongest ? "over 10 s" : latency_text(p95));
  }
  return text;
}

std::string traffic_of(const object& page) {
  const object* const traffic = object_of(page, "traffic");
  if (traffic == nullptr) return {};
  std::string text;
  for (const auto& share : *traffic) {
    const double percent = share.value().is_number() ? number_of(*traffic, std::string_view(share.key())) : 0;
    text += (text.empty() ? "traffic now: " : ", ") + std::string(std::string_view(share.key())) + " " + format_number(percent) + " %";
  }
  return text + "\n";
}

}  // namespace

std::string switch_report_text(const object& report) {
  std::string text = text_of(report, "message") + "\n" + table_of(report);
  const value* const notes = find(report, "notes");
  if (notes != nullptr && notes->is_array())
    for (const value& note : notes->get_array())
      if (note.is_string()) text += "note: " + std::string(std::string_view(note.get_string())) + "\n";
  return text + traffic_of(report);
}

std::string switch_state_text(const object& state) {
  std::string text = traffic_of(state);
  if (const object* const running = object_of(state, "running"))
    text += "a switch to " + text_of(*running, "to") + " is under way: " + text_of(*running, "step") + ", " +
            format_number(std::ceil(number_of(*running, "seconds_left"))) + " s left\n" + table_of(*running);
  if (const object* const last = object_of(state, "last")) text += "the last switch ended at " + text_of(*last, "time") + ": " + text_of(*last, "message") + "\n";
  return text;
}

}  // namespace gatehouse
