// `gatehouse schema`: JSON Schema of the configuration, or its reference page.
#pragma once

#include "commands/commands.hpp"

namespace gatehouse {

void add_schema(CommandLine& line);

}  // namespace gatehouse
