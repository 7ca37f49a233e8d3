#include "commands/exec.hpp"

#include "app/application.hpp"
#include "config/load.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

namespace gatehouse {
namespace {

constexpr int kConfiguration = 2;

struct Choices {
  std::string file = "gatehouse.yaml";
  std::vector<std::string> command;
};

int exec(const Choices& choices, std::span<const Section> sections) {
  LoadResult loaded = load_config_file(choices.file, sections, process_environment());
  for (const Mistake& mistake : loaded.mistakes()) std::cerr << to_string(mistake) << '\n';
  if (!loaded) return kConfiguration;
  const auto source = [file = choices.file, sections] { return load_config_file(file, sections, process_environment()); };
  return Application(std::move(*loaded), {source, {}, choices.command}).run();
}

}  // namespace

void add_exec(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand("exec", "Serve, and run the app as a child whose output is sanitised");
  const auto choices = std::make_shared<Choices>();
  verb->add_option("-c,--config", choices->file, "Configuration file")->capture_default_str();
  verb->add_option("command", choices->command, "The app and its arguments, behind --")->required();
  verb->footer(
      "For instance: gatehouse exec -- uvicorn app:app --port 8000. What the app prints becomes part of the log, without "
      "its secrets. SIGTERM and SIGINT end requests first, then the app; SIGUSR1, SIGUSR2, SIGQUIT, SIGWINCH, SIGTTIN and "
      "SIGTTOU go to the app. Exit code: the app's; 128 and the number of the signal that ended it; 127 or 126 when it "
      "cannot be started; 1 and 2 as for run.");
  verb->callback([choices, &line] { line.exit_code = exec(*choices, line.sections); });
}

}  // namespace gatehouse
