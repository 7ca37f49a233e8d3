// What may be asked of a running Gatehouse through its admin port, besides looking. Thread: the admin worker's.
#pragma once

#include "admin/switch_order.hpp"
#include "admin/switch_report.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gatehouse::admin {

struct Control {
  struct Reloaded {
    bool good = false;
    std::vector<std::string> messages;  // what is wrong, or what takes effect at the next start only
  };
  using ReloadDone = std::function<void(Reloaded)>;
  struct Drained {
    bool quiet = false;          // nothing is left under way
    std::uint64_t requests = 0;  // that are still being answered
  };

  struct Upgraded {
    int process = 0;      // the one that serves from now on; 0: this one goes on
    std::string problem;  // why
  };

  // Loads the configuration anew; `done` is called once all workers serve by it, or nothing has changed.
  std::function<void(ReloadDone done)> reload;
  // Takes the process out of service; `done` is called when it is safe to stop, or when the shutdown deadline has passed.
  std::function<void(std::function<void(Drained)> done)> drain;
  // Replaces this process by a new one; `done` is called when that is ready and this one begins to stop, or goes on.
  std::function<void(std::function<void(Upgraded)> done)> upgrade;
  // Moves traffic between pools of the app; `done` is called when that is over: with a watch, after it.
  std::function<void(const SwitchOrder& order, std::function<void(const SwitchReport&)> done)> switch_over;
  // Where the traffic goes, and what became of the last switch.
  std::function<SwitchState()> switch_state;
};

}  // namespace gatehouse::admin
