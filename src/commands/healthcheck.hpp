// `gatehouse healthcheck`: asks the admin endpoint of a running Gatehouse, for HEALTHCHECK in an image without a shell.
#pragma once

#include "commands/commands.hpp"

namespace gatehouse {

void add_healthcheck(CommandLine& line);

}  // namespace gatehouse
