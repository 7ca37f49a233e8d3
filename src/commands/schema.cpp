#include "commands/schema.hpp"

#include "config/schema.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

namespace gatehouse {

void add_schema(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand("schema", "Print the JSON Schema of the configuration, for editors");
  const auto reference = std::make_shared<bool>(false);
  verb->add_flag("--reference", *reference, "Print the reference page instead, in Markdown");
  verb->callback([reference, &line] {
    std::cout << (*reference ? reference_page(line.sections) : json_schema(line.sections)) << std::flush;
    line.exit_code = std::cout ? 0 : 1;
  });
}

}  // namespace gatehouse
