// `gatehouse print-config FILE`: the effective configuration.
#pragma once

#include "commands/commands.hpp"

namespace gatehouse {

void add_print_config(CommandLine& line);

}  // namespace gatehouse
