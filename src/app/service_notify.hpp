// What systemd wants to hear of a service of Type=notify (sd_notify(3)). Does nothing where nobody listens.
#pragma once

namespace gatehouse {

// This process serves; it is the main one of its service from now on.
void notify_ready();
void notify_stopping();

}  // namespace gatehouse
