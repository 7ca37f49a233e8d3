#include "commands/commands.hpp"
#include "commands/drain.hpp"
#include "commands/exec.hpp"
#include "commands/healthcheck.hpp"
#include "commands/redact.hpp"
#include "commands/reload.hpp"
#include "commands/run.hpp"
#include "commands/print_config.hpp"
#include "commands/schema.hpp"
#include "commands/switch.hpp"
#include "commands/upgrade.hpp"
#include "commands/validate.hpp"
#include "commands/version.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

namespace gatehouse {
namespace {

constexpr int kUsage = 2;

void add_verbs(CommandLine& line) {
  add_run(line);
  add_exec(line);
  add_reload(line);
  add_drain(line);
  add_switch(line);
  add_upgrade(line);
  add_redact(line);
  add_healthcheck(line);
  add_validate(line);
  add_print_config(line);
  add_schema(line);
  add_version(line);
}

int parse_and_run(int argc, char** argv, std::span<const Section> sections) {
  CLI::App app("Gatehouse makes the web app behind it ready for production.", "gatehouse");
  app.require_subcommand(1);
  app.footer("Every verb explains itself: gatehouse VERB --help");
  CommandLine line{app, sections};
  add_verbs(line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 has exit codes of its own for wrong usage; help is no mistake.
    return app.exit(error, std::cout, std::cerr) == 0 ? 0 : kUsage;
  }
  return line.exit_code;
}

}  // namespace

int run_cli(int argc, char** argv, std::span<const Section> sections) {
  try {
    return parse_and_run(argc, argv, sections);
  } catch (const std::exception& error) {
    std::cerr << "gatehouse: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace gatehouse
