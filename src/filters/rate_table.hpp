// The states of one limit for many keys, in memory that is fixed when the table is made and shared by all workers.
//
// A set of seven places is two cache lines; a key's set is chosen by a keyed hash, so nobody can choose whom he meets
// there. A decision about a known key is one compare-and-swap. Only a key that is new to its set takes that set's lock,
// for a few stores; no lock is held while anything is waited for.
//
// A full set drops what is least useful: the key whose burst was, or will be, whole again first. Nothing is lost as
// long as that moment has passed, which is the rule. What an attacker with any number of addresses can do:
//   - memory: nothing. kBytesPerKey for each key of `max_keys`, touched as it is used;
//   - the limits of others: a key leaves its set before its time only while all other places of the set hold keys that
//   owe
//     at least as much, so keys that spend one unit each never displace a key that owes more than one. A key that is
//     displaced gets back what it owed, at most its burst, and `displaced` counts it;
//   - refuse others: never. Losing a state only ever forgives.
// With `max_keys` keys owing something at the same time fewer than one set in two hundred is that full.
//
// Any thread may call anything. Decisions about one key are exact under concurrency: together never more than the rule
// allows, except that a displaced key starts afresh.
#pragma once

#include "filters/rate_rule.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>

namespace gatehouse {

enum class RateKey : std::uint64_t {};  // a keyed hash of what is being counted

// What a table tells about itself; read them whenever, relaxed.
struct alignas(64) RateCounters {
  std::atomic<std::uint64_t> limited{0};         // requests refused
  std::atomic<std::uint64_t> shadow_limited{0};  // requests that a shadow policy would have refused
  std::atomic<std::uint64_t> lockouts{0};
  std::atomic<std::uint64_t> store_answers{0};   // decisions that the shared store made
  std::atomic<std::uint64_t> store_timeouts{0};  // ... that it did not make in time
  std::atomic<std::uint64_t> store_failures{0};  // ... that it could not make: away, or in trouble
  std::atomic<std::uint64_t> evictions{0};       // places reused
  std::atomic<std::uint64_t> displaced{0};       // of these, keys that still owed something
  std::atomic<std::uint64_t> keys{0};            // places in use
};

class RateTable {
 public:
  static constexpr std::size_t kBytesPerKey = 52;

  // Throws bad_alloc where the memory cannot be had.
  RateTable(const RateRule& rule, std::size_t max_keys);

  const RateRule& rule() const noexcept { return rule_; }

  // Takes `cost` units if they are there; otherwise takes nothing.
  RateDecision decide(RateKey key, RateTime now, std::uint64_t cost, RateCharge* charge = nullptr) noexcept;
  // What decide() would say.
  RateDecision peek(RateKey key, RateTime now, std::uint64_t cost) const noexcept;
  // Returns what decide() took, while time has not returned it. `now` is read after decide(); a charge is given back
  // once.
  void give_back(RateKey key, RateTime now, const RateCharge& charge) noexcept;
  // What decide() took was for a failure: locks the key out where it was the last unit.
  void fail(RateKey key, RateTime now) noexcept;
  // The key owes nothing and is not locked any more.
  void forgive(RateKey key) noexcept;

  // Somebody who counts for several processes says that the key owes at least that much.
  void mirror(RateKey key, RateTime now, RateDuration owed) noexcept;

  // The set of this key will be asked soon.
  void prefetch(RateKey key) const noexcept;

  RateCounters& counters() noexcept { return counters_; }
  const RateCounters& counters() const noexcept { return counters_; }
  std::size_t memory() const noexcept { return sets_.get_deleter().size; }

 private:
  static constexpr std::size_t kPlaces = 7;
  struct alignas(128) Set {
    std::atomic<std::uint64_t> tags[kPlaces];  // 0: free, or being reused
    std::atomic<std::uint32_t> locked;
    std::atomic<std::uint64_t> states[kPlaces];
  };
  struct Unmap {
    std::size_t size;
    void operator()(Set* sets) const noexcept;
  };
  struct Found {
    std::atomic<std::uint64_t>* state;  // null: not there
    std::uint64_t seen;
  };

  static std::unique_ptr<Set[], Unmap> map_sets(std::size_t count);
  static std::uint64_t tag_of(RateKey key) noexcept;
  Set& set_of(std::uint64_t tag) const noexcept;
  static Found find(Set& set, std::uint64_t tag) noexcept;
  bool insert(Set& set, std::uint64_t tag, std::uint64_t state, RateTime now) noexcept;
  template <class Change>
  bool update(RateKey key, Change change) noexcept;

  RateRule rule_;
  std::size_t set_count_;
  std::unique_ptr<Set[], Unmap> sets_;
  RateCounters counters_;
};

// One request against several limits.
struct RateAsk {
  RateTable* table = nullptr;
  RateKey key{};
  std::uint64_t cost = 1;
  RateDecision decision{};
  RateCharge charge{};
};

// Takes from all of them or from none, and fills in the decisions; false when one refused. Exact on one thread. When
// another thread takes the last unit of a limit between our look and our grip, what earlier limits gave is given back:
// for that moment they can refuse others a unit too many, and they never pass one too many.
bool take_all(std::span<RateAsk> asks, RateTime now, RateTime (*clock)() = &std::chrono::steady_clock::now) noexcept;

}  // namespace gatehouse
