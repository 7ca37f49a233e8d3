// `gatehouse drain`: takes a running Gatehouse out of service and returns when it is safe to stop it.
#pragma once

#include "commands/commands.hpp"

namespace gatehouse {

void add_drain(CommandLine& line);

}  // namespace gatehouse
