// The sections for the people who run it: health, logs, metrics, and who is told what. The other keys are in keys.cpp.
#pragma once

#include <gatehouse/options.hpp>

namespace gatehouse::keys {

KeySpec health();
KeySpec log();
// `log.bodies`; on a route without defaults, where the whole's values hold.
KeySpec log_bodies(bool on_route);
KeySpec admin();
KeySpec metrics();
KeySpec heartbeat();
KeySpec openapi();

}  // namespace gatehouse::keys
