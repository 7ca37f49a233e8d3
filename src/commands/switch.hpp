// `gatehouse switch`: moves traffic to another pool of the app, watches how that goes, and says what came of it.
#pragma once

#include "commands/commands.hpp"

namespace gatehouse {

void add_switch(CommandLine& line);

}  // namespace gatehouse
