// `gatehouse reload`: the running Gatehouse loads its configuration anew.
#pragma once

#include "commands/commands.hpp"

namespace gatehouse {

void add_reload(CommandLine& line);

}  // namespace gatehouse
