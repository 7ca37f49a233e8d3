// From read settings to the plain structs, and what only the whole can tell: listeners that overlap, settings that
// exclude each other.
#pragma once

#include "config/config.hpp"
#include "config/mistake.hpp"
#include "config/setting_value.hpp"

namespace gatehouse {

// Every mistake is reported; the Config counts for something only where none was.
Config bind(const LoadedSettings& settings, Mistakes& mistakes);

}  // namespace gatehouse
