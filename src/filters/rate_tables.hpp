// The tables of all limits of this process. Workers that build the same policy get the same table, and so does the next
// configuration as long as the old one is still there: a reload forgets nobody's count. One for the process; any
// thread.
#pragma once

#include "filters/rate_hash.hpp"
#include "filters/rate_table.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace gatehouse {

class RateTables {
 public:
  RateTables() : secret_(make_hash_secret()) {}

  // The table of the policy called `name`. An equal `definition` (a text that holds everything that gives the counts
  // their meaning) is the same policy: it shares the table with whoever holds it.
  std::shared_ptr<RateTable> obtain(const std::string& name, const std::string& definition, const RateRule& rule,
                                    std::size_t max_keys);

  // Calls `visit` with each table in use, for metrics. Not on the request path.
  void for_each(const std::function<void(const std::string& name, const RateTable& table)>& visit) const;

  // What keys of these tables are hashed with.
  const HashSecret& secret() const noexcept { return secret_; }

 private:
  struct Entry {
    std::string name;
    std::weak_ptr<RateTable> table;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Entry> by_definition_;
  HashSecret secret_;
};

}  // namespace gatehouse
