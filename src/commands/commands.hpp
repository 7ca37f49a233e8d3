// The command line: each verb registers itself with CLI11 in a file of its own. A verb's callback does the work and
// leaves the exit code: 0 fine, 1 it ran and something failed, 2 usage or configuration.
#pragma once

#include <gatehouse/options.hpp>

#include <span>

namespace CLI {
class App;
}

namespace gatehouse {

// What a verb is registered with. Outlives the parsing of the command line and the run of the verb.
struct CommandLine {
  CLI::App& app;
  std::span<const Section> sections;  // the settings that the filters bring
  int exit_code = 0;
};

// Parses the arguments and runs the verb; the exit code of the process. Never throws.
int run_cli(int argc, char** argv, std::span<const Section> sections);

}  // namespace gatehouse
