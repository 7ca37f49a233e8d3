#include "commands/upgrade.hpp"

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
constexpr std::chrono::seconds kPatience{70};

std::string_view text_of(const boost::json::value& page, std::string_view key) {
  const auto* const object = page.if_object();
  const auto* const value = object != nullptr ? object->if_contains(key) : nullptr;
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view{};
}

int upgrade(const std::string& file, std::span<const Section> sections) {
  LoadResult loaded = load_config_file(file, sections, process_environment());
  for (const Mistake& mistake : loaded.mistakes()) std::cerr << to_string(mistake) << '\n';
  if (!loaded) {
    std::cerr << "gatehouse upgrade: the new process could not use this; the running Gatehouse was not asked\n";
    return kConfiguration;
  }
  const auto answer = ask_admin(loaded->admin.address, "POST", "/upgrade", kPatience);
  if (!answer) {
    std::cerr << "gatehouse upgrade: " << to_string(loaded->admin.address) << ": " << explain_no_answer(answer.error()) << '\n';
    return kFailed;
  }
  boost::system::error_code broken;
  const boost::json::value page = boost::json::parse(answer->body, broken);
  if (answer->status == 200 && text_of(page, "result") == "success") {
    std::cout << answer->body;
    return 0;
  }
  const std::string_view problem = text_of(page, "problem");
  std::cerr << "gatehouse upgrade: " << (problem.empty() ? "answered " + std::to_string(answer->status) : std::string(problem))
            << "; the process before goes on\n";
  return kFailed;
}

}  // namespace

void add_upgrade(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand("upgrade", "Replace a running Gatehouse by the binary that lies at its place now");
  const auto file = std::make_shared<std::string>("gatehouse.yaml");
  verb->add_option("-c,--config", *file, "Configuration file of the running Gatehouse")->capture_default_str();
  verb->footer("The new process takes over the listening sockets; when it is ready the old one drains. Prints the number of the new process.\n"
               "Exit code 0: the new process serves, 1: it does not and the old one goes on, 2: the configuration has mistakes.");
  verb->callback([file, &line] { line.exit_code = upgrade(*file, line.sections); });
}

}  // namespace gatehouse
