#include "upstream/pools.hpp"

#include "http/syntax.hpp"

namespace gatehouse::upstream {

Pools::Pools(std::vector<std::shared_ptr<Pool>> pools, PoolId active, const TrafficSplit& split, std::string cookie)
    : pools_(std::move(pools)), active_(find(active)), split_(split), cookie_(std::move(cookie)), random_(std::random_device{}()) {
  if (active_ == nullptr) active_ = pools_.front().get();
}

Pools::Choice Pools::choose(Shares shares, std::string_view cookies, unsigned chance) noexcept {
  Pool* const base = find(shares.base);
  Pool* const target = find(shares.target);
  // One of a configuration that is not in force yet, or no longer.
  if (base == nullptr || target == nullptr) return {active_, false};
  if (shares.percent == 0 || base == target) return {base, false};
  if (shares.percent >= 100) return {target, false};
  if (!cookie_.empty()) {
    const std::string_view kept = cookie_value(cookies, cookie_);
    for (Pool* const pool : {base, target})
      if (pool->name() == kept) return {pool, false};
  }
  return {chance < shares.percent ? target : base, !cookie_.empty()};
}

Pool* Pools::find(std::string_view name) noexcept {
  for (const auto& pool : pools_)
    if (pool->name() == name) return pool.get();
  return nullptr;
}

Pool* Pools::find(PoolId id) noexcept {
  for (const auto& pool : pools_)
    if (pool->id() == id) return pool.get();
  return nullptr;
}

void Pools::begin_use() {
  for (const auto& pool : pools_)
    for (const auto& member : pool->members()) member->cluster().begin_use();
}

void Pools::close_idle() noexcept {
  for (const auto& pool : pools_)
    for (const auto& member : pool->members()) member->cluster().close_idle();
}

std::string_view cookie_value(std::string_view cookies, std::string_view name) noexcept {
  while (!cookies.empty()) {
    const std::size_t end = cookies.find(';');
    const std::string_view pair = http::trim(cookies.substr(0, end));
    cookies = end == std::string_view::npos ? std::string_view{} : cookies.substr(end + 1);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') return pair.substr(name.size() + 1);
  }
  return {};
}

}  // namespace gatehouse::upstream
