// `gatehouse version`.
#pragma once

#include "commands/commands.hpp"

namespace gatehouse {

void add_version(CommandLine& line);

}  // namespace gatehouse
