// The pools of one configuration as one worker sees them, and which of them a request goes to. Thread: the worker's, but for being made.
#pragma once

#include "upstream/pool.hpp"

#include <random>
#include <string_view>

namespace gatehouse::upstream {

class Pools {
 public:
  // At least one pool; `active` is the one that serves where `split` names others. `cookie`: the cookie that keeps clients with a
  // pool; empty: none does. `split` must outlive it.
  Pools(std::vector<std::shared_ptr<Pool>> pools, PoolId active, const TrafficSplit& split, std::string cookie);

  struct Choice {
    Pool* pool = nullptr;
    bool tell_client = false;  // by the cookie: it is to stay with this pool
  };
  bool has_several() const noexcept { return pools_.size() > 1; }
  Pool& first() noexcept { return *pools_.front(); }
  // The pool for a request that has these cookies.
  Choice choose(std::string_view cookies) noexcept { return choose(split_.load(), cookies, static_cast<unsigned>(random_() % 100)); }
  // The same, where `chance` is below 100 and each number as likely as the others.
  Choice choose(Shares shares, std::string_view cookies, unsigned chance) noexcept;
  // What is to be sent as a Set-Cookie field but for the name and the value.
  const std::string& cookie() const noexcept { return cookie_; }

  // Null: there is none of that name.
  Pool* find(std::string_view name) noexcept;
  const std::vector<std::shared_ptr<Pool>>& all() const noexcept { return pools_; }
  // Taken into use by its worker, on whose thread this is.
  void begin_use();
  void close_idle() noexcept;

 private:
  Pool* find(PoolId id) noexcept;

  std::vector<std::shared_ptr<Pool>> pools_;
  Pool* active_;
  const TrafficSplit& split_;
  std::string cookie_;
  std::minstd_rand random_;
};

// The value of the cookie of that name in a Cookie field; empty: there is none.
std::string_view cookie_value(std::string_view cookies, std::string_view name) noexcept;

}  // namespace gatehouse::upstream
