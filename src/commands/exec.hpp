// `gatehouse exec`: serves, and runs the app as a child, so that one container is enough.
#pragma once

#include "commands/commands.hpp"

namespace gatehouse {

void add_exec(CommandLine& line);

}  // namespace gatehouse
