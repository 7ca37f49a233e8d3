// `gatehouse redact`: the log sanitiser as a filter.
#pragma once

#include "commands/commands.hpp"

namespace gatehouse {

void add_redact(CommandLine& line);

}  // namespace gatehouse
