#include "filters/rate_tables.hpp"

namespace gatehouse {

std::shared_ptr<RateTable> RateTables::obtain(const std::string& name, const std::string& definition,
                                              const RateRule& rule, std::size_t max_keys) {
  const std::lock_guard lock(mutex_);
  std::erase_if(by_definition_, [](const auto& entry) { return entry.second.table.expired(); });
  auto& entry = by_definition_[definition];
  auto table = entry.table.lock();
  if (table) return table;
  table = std::make_shared<RateTable>(rule, max_keys);
  entry = {name, table};
  return table;
}

void RateTables::for_each(const std::function<void(const std::string&, const RateTable&)>& visit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [definition, entry] : by_definition_)
    if (const auto table = entry.table.lock()) visit(entry.name, *table);
}

}  // namespace gatehouse
