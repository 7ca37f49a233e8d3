#include "commands/version.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

namespace gatehouse {

void add_version(CommandLine& line) {
  line.app.add_subcommand("version", "Print the version")->callback([] {
    std::cout << "gatehouse " GATEHOUSE_VERSION "\n";
  });
}

}  // namespace gatehouse
