// The part of bind() that is about health checks: each type needs other keys, and a URL of its own kind.
#pragma once

#include "config/config.hpp"

#include <gatehouse/options.hpp>

namespace gatehouse {

// How often is asked and how many answers count; the keys of a check, and of the app's own.
Probe read_probe(const OptionsReader& reader);
// The section `health`. What is wrong is told to the reader.
Health read_health(const OptionsReader& reader);

}  // namespace gatehouse
