// The table of keys: what a configuration file may hold, with defaults and a sentence on each key.
#pragma once

#include <gatehouse/options.hpp>

#include <span>

namespace gatehouse {

// The whole file as one map: the core keys, then the sections of the filters, which also appear in `routes` where they
// are possible there.
KeySpec file_keys(std::span<const Section> sections);

}  // namespace gatehouse
