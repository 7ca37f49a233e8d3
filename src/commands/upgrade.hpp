// `gatehouse upgrade`: a running Gatehouse is replaced by a new process of the binary that lies at its place now.
#pragma once

#include "commands/commands.hpp"

namespace gatehouse {

void add_upgrade(CommandLine& line);

}  // namespace gatehouse
