// `gatehouse validate FILE...`: every mistake in configuration files.
#pragma once

#include "commands/commands.hpp"

namespace gatehouse {

void add_validate(CommandLine& line);

}  // namespace gatehouse
