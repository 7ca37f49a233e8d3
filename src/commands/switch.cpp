#include "commands/switch.hpp"

#include "admin/switch_order.hpp"
#include "commands/admin_client.hpp"
#include "commands/switch_text.hpp"
#include "config/load.hpp"
#include "config/units.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <iostream>
#include <memory>
#include <optional>

namespace gatehouse {
namespace {

constexpr int kNotDone = 1;
constexpr int kNotAsked = 2;  // wrong usage, or nobody there to ask
constexpr std::chrono::minutes kPatience{11};  // beyond the watch
constexpr std::chrono::seconds kStatePatience{30};

struct Wish {
  std::string file = "gatehouse.yaml";
  std::string to;
  std::optional<std::int64_t> percent;
  std::string watch;
  std::string max_error_ratio;
  std::string max_p95;
  std::optional<std::int64_t> min_requests;
  bool abort = false;
  bool json = false;

  bool is_question() const { return !abort && to.empty() && !percent && watch.empty() && max_error_ratio.empty() && max_p95.empty() && !min_requests; }
};

boost::json::object body_of(const Wish& wish) {
  boost::json::object body;
  if (wish.abort) body["abort"] = true;
  const auto add = [&body](const char* key, const std::string& text) {
    if (!text.empty()) body[key] = text;
  };
  add("to", wish.to);
  if (wish.percent) body["percent"] = *wish.percent;
  add("watch", wish.watch);
  add("max_error_ratio", wish.max_error_ratio);
  add("max_p95", wish.max_p95);
  if (wish.min_requests) body["min_requests"] = *wish.min_requests;
  return body;
}

// As the options are written.
std::string with_options(std::string problem) {
  for (const std::string key : {"max_error_ratio", "max_p95", "min_requests", "percent", "watch", "abort", "to"}) {
    std::string option = "--" + key;
    std::replace(option.begin(), option.end(), '_', '-');
    if (problem.starts_with(key + " ")) return option + problem.substr(key.size());
  }
  return problem;
}

int not_asked(const std::string& why) {
  std::cerr << "gatehouse switch: " << why << '\n';
  return kNotAsked;
}

int switch_over(const Wish& wish, std::span<const Section> sections) {
  const boost::json::object body = body_of(wish);
  const auto read = admin::read_switch_order(boost::json::serialize(body));
  if (!wish.is_question() && !read.problem.empty()) return not_asked(with_options(read.problem));
  LoadResult loaded = load_config_file(wish.file, sections, process_environment());
  for (const Mistake& mistake : loaded.mistakes()) std::cerr << to_string(mistake) << '\n';
  if (!loaded) return not_asked("the running Gatehouse was not asked");
  if (read.order.watch.count() != 0 && !wish.is_question())
    std::cerr << "gatehouse switch: watching " << wish.to << " for " << format_duration(read.order.watch) << "; `gatehouse switch --abort` goes back\n";
  const auto answer = wish.is_question() ? ask_admin(loaded->admin.address, "GET", "/switch", kStatePatience)
                                         : ask_admin(loaded->admin.address, "POST", "/switch", read.order.watch + kPatience, boost::json::serialize(body));
  if (!answer) return not_asked(to_string(loaded->admin.address) + ": " + explain_no_answer(answer.error()));
  boost::system::error_code broken;
  const boost::json::value page = boost::json::parse(answer->body, broken);
  if (broken || !page.is_object() || (!page.get_object().contains("result") && !page.get_object().contains("traffic")))
    return not_asked(to_string(loaded->admin.address) + ": answered " + std::to_string(answer->status));
  if (wish.json)
    std::cout << answer->body;
  else
    std::cout << (wish.is_question() ? switch_state_text(page.get_object()) : switch_report_text(page.get_object()));
  return answer->status == 200 ? 0 : kNotDone;
}

}  // namespace

void add_switch(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand("switch", "Move the traffic to another pool of the app, and back if that is worse");
  const auto wish = std::make_shared<Wish>();
  verb->add_option("-c,--config", wish->file, "Configuration file of the running Gatehouse")->capture_default_str();
  auto* const to = verb->add_option("--to", wish->to, "The pool that is to get the traffic");
  verb->add_option("--percent", wish->percent, "So much of the traffic, 1 to 100 (all)");
  verb->add_option("--watch", wish->watch, "Watch the pool so long, and go back if it does worse than it may, e.g. 2m");
  verb->add_option("--max-error-ratio", wish->max_error_ratio, "More failed requests than that are worse, e.g. 1% or 0.01");
  verb->add_option("--max-p95", wish->max_p95, "A slower 95th percentile is worse, e.g. 300ms");
  verb->add_option("--min-requests", wish->min_requests, "Fewer requests decide nothing (20)");
  verb->add_flag("--abort", wish->abort, "Go back: all traffic to the pool it came from")->excludes(to);
  verb->add_flag("--json", wish->json, "The report as JSON");
  verb->footer("All addresses of the pool must be well, then the traffic moves; returns when that is done, or at the end of the watch, with a report.\n"
               "With --watch a pool also goes back when its health checks fail, or when far more of its requests fail than of the other's. Without\n"
               "--to and --abort: who has the traffic now. Exit code 0: done, 1: refused, rolled back or aborted (the report says why), 2: wrong\n"
               "usage, or Gatehouse did not answer.");
  verb->callback([wish, &line] { line.exit_code = switch_over(*wish, line.sections); });
}

}  // namespace gatehouse
