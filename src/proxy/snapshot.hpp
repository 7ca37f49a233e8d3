// One configuration as one worker serves by it. A request holds the snapshot it began with until it is over, so that a reload
// changes nothing under it; the last holder takes it apart. Made in app/ on any thread, then touched by the worker's alone.
#pragma once

#include "proxy/recorder.hpp"
#include "proxy/router.hpp"
#include "proxy/settings.hpp"
#include "upstream/pools.hpp"

#include <memory>
#include <vector>

namespace gatehouse::proxy {

struct Snapshot {
  ServingSettings settings;
  Recording recording;
  std::shared_ptr<upstream::Pools> pools;            // where the app is; null: admin
  std::vector<std::unique_ptr<Terminal>> terminals;  // what the chains of the router end in
  std::unique_ptr<Router> router;
};

}  // namespace gatehouse::proxy
