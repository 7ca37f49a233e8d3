#include "commands/validate.hpp"

#include "config/load.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

namespace gatehouse {
namespace {

int validate(const std::vector<std::string>& files, std::span<const Section> sections) {
  Environment environment = process_environment();
  environment.accept_redacted = true;
  int exit_code = 0;
  for (const std::string& file : files) {
    const LoadResult loaded = load_config_file(file, sections, environment);
    for (const Mistake& mistake : loaded.mistakes()) std::cerr << to_string(mistake) << '\n';
    if (loaded) std::cerr << file << ": fine\n";
    if (!loaded) exit_code = 2;
  }
  return exit_code;
}

}  // namespace

void add_validate(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand("validate", "Tell every mistake in configuration files");
  const auto files = std::make_shared<std::vector<std::string>>();
  verb->add_option("FILE", *files, "Configuration files")->required();
  verb->footer("Prints one line for each mistake, file:line:column: key: sentence. Exit code 0: none, 2: some.");
  verb->callback([files, &line] { line.exit_code = validate(*files, line.sections); });
}

}  // namespace gatehouse
