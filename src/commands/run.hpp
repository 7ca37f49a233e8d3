// `gatehouse run --config FILE`: serve.
#pragma once

#include "commands/commands.hpp"

namespace gatehouse {

void add_run(CommandLine& line);

}  // namespace gatehouse
