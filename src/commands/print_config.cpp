#include "commands/print_config.hpp"

#include "config/load.hpp"
#include "config/print.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

namespace gatehouse {
namespace {

int print(const std::string& file, std::span<const Section> sections) {
  Environment environment = process_environment();
  environment.accept_redacted = true;
  LoadResult loaded = load_config_file(file, sections, environment);
  for (const Mistake& mistake : loaded.mistakes()) std::cerr << to_string(mistake) << '\n';
  if (!loaded) return 2;
  std::cout << print_config(*loaded) << std::flush;
  return std::cout ? 0 : 1;
}

}  // namespace

void add_print_config(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand("print-config", "Print the effective configuration, without its secrets");
  const auto file = std::make_shared<std::string>();
  verb->add_option("FILE", *file, "Configuration file")->required();
  verb->footer(
      "Defaults and variables are filled in. A secret that comes from a variable or a file is printed as that "
      "reference,\n"
      "any other as <redacted>, with which the file can be validated, but not served.");
  verb->callback([file, &line] { line.exit_code = print(*file, line.sections); });
}

}  // namespace gatehouse
