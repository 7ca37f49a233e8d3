#include "commands/reload.hpp"

#include "commands/admin_client.hpp"
#include "config/load.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>
#include <memory>

namespace gatehouse {
namespace {

constexpr int kFailed = 1;
constexpr int kConfiguration = 2;
constexpr std::chrono::seconds kPatience{30};

// The file must be right here as well: a mistake is told before anybody is asked.
int reload(const std::string& file, std::span<const Section> sections) {
  LoadResult loaded = load_config_file(file, sections, process_environment());
  for (const Mistake& mistake : loaded.mistakes()) std::cerr << to_string(mistake) << '\n';
  if (!loaded) {
    std::cerr << "gatehouse reload: nothing has changed; the running Gatehouse was not asked\n";
    return kConfiguration;
  }
  const auto answer = ask_admin(loaded->admin.address, "POST", "/reload", kPatience);
  if (!answer) {
    std::cerr << "gatehouse reload: " << to_string(loaded->admin.address) << ": " << explain_no_answer(answer.error()) << '\n';
    return kFailed;
  }
  boost::system::error_code broken;
  const boost::json::value page = boost::json::parse(answer->body, broken);
  const auto* const messages = broken || !page.is_object() ? nullptr : page.as_object().if_contains("messages");
  if (messages == nullptr || !messages->is_array()) {
    std::cerr << "gatehouse reload: " << to_string(loaded->admin.address) << ": answered " << answer->status << '\n';
    return kFailed;
  }
  for (const boost::json::value& message : messages->as_array())
    if (message.is_string()) std::cerr << std::string_view(message.as_string()) << '\n';
  if (answer->status == 200) return 0;
  std::cerr << "gatehouse reload: nothing has changed; the configuration before is in force\n";
  return kConfiguration;
}

}  // namespace

void add_reload(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand("reload", "Make a running Gatehouse load its configuration anew");
  const auto file = std::make_shared<std::string>("gatehouse.yaml");
  verb->add_option("-c,--config", *file, "Configuration file of the running Gatehouse")->capture_default_str();
  verb->footer("Returns when every worker serves by the new configuration. Exit code 0: it is in force, 1: Gatehouse did not answer, 2: the\n"
               "configuration has mistakes and nothing has changed.");
  verb->callback([file, &line] { line.exit_code = reload(*file, line.sections); });
}

}  // namespace gatehouse
