// Which route a request takes: the first in the order of the configuration whose host, method and path all match. Read only;
// one per worker, because the chains in it are the worker's.
#pragma once

#include "filters/chain.hpp"
#include "http/path_pattern.hpp"
#include "observe/metrics.hpp"
#include "proxy/settings.hpp"

#include <memory>
#include <vector>

namespace gatehouse::proxy {

using http::PathPattern;

struct Route {
  RouteSettings settings;
  std::string name;  // the path pattern: what logs and metrics call it
  PathPattern pattern;
  std::unique_ptr<Chain> chain;
  observe::RouteMetrics* metrics = nullptr;  // the worker's; null: not counted by route
  bool own = false;  // served by Gatehouse itself (health, admin)
  // Its chain answers preflights: they are its own where the method they ask leave for is.
  bool answers_preflights = false;
  mutable std::uint64_t last_answer = 0;  // bytes in the body of the app's last one: the next will be like it
};

class Router {
 public:
  // The last route must match everything.
  explicit Router(std::vector<std::unique_ptr<Route>> routes) : routes_(std::move(routes)) {}
  // By the path as the app will resolve it: no spelling of a path leads around a rule about it.
  const Route& find(const Request& request) const;
  const std::vector<std::unique_ptr<Route>>& routes() const noexcept { return routes_; }

 private:
  std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace gatehouse::proxy
