#include "filters/rate_table.hpp"

#include <sys/mman.h>

#include <new>
#include <thread>

namespace gatehouse {
namespace {

// Seven places for every two and a half keys: a set overflows seldom although keys fall into sets by chance.
constexpr std::size_t sets_for(std::size_t max_keys) noexcept {
  return std::max<std::size_t>(1, (max_keys * 2 + 4) / 5);
}

constexpr std::size_t kLargeTable = std::size_t{16} << 20;

}  // namespace

void RateTable::Unmap::operator()(Set* sets) const noexcept { ::munmap(sets, size); }

// Pages of zeros that cost nothing before a key falls into them; free places are zeros.
std::unique_ptr<RateTable::Set[], RateTable::Unmap> RateTable::map_sets(std::size_t count) {
  const std::size_t size = count * sizeof(Set);
  void* const memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  // In a large table every look-up would miss the TLB besides; a small one is to cost only the pages in use.
  if (size >= kLargeTable) ::madvise(memory, size, MADV_HUGEPAGE);
  static_assert(sizeof(Set) == 128 && std::atomic<std::uint64_t>::is_always_lock_free);
  static_assert(sizeof(Set) * 2 <= 5 * kBytesPerKey);
  return {static_cast<Set*>(memory), Unmap{size}};
}

RateTable::RateTable(const RateRule& rule, std::size_t max_keys)
    : rule_(rule), set_count_(sets_for(max_keys)), sets_(map_sets(set_count_)) {}

std::uint64_t RateTable::tag_of(RateKey key) noexcept {
  return std::max<std::uint64_t>(static_cast<std::uint64_t>(key), 1);
}

RateTable::Set& RateTable::set_of(std::uint64_t tag) const noexcept {
  return sets_[static_cast<std::size_t>((tag >> 32) * set_count_ >> 32)];
}

void RateTable::prefetch(RateKey key) const noexcept {
  const Set& set = set_of(tag_of(key));
  __builtin_prefetch(&set.tags, 1);
  __builtin_prefetch(&set.states, 1);
}

// The second look at the tag makes sure that the state read between belongs to this key: whoever reuses a place clears
// the tag before he writes the state.
RateTable::Found RateTable::find(Set& set, std::uint64_t tag) noexcept {
  for (std::size_t i = 0; i < kPlaces; ++i) {
    if (set.tags[i].load(std::memory_order_acquire) != tag) continue;
    const auto seen = set.states[i].load(std::memory_order_acquire);
    if (set.tags[i].load(std::memory_order_relaxed) == tag) return {&set.states[i], seen};
  }
  return {nullptr, 0};
}

// False: another thread was faster and the key is there.
bool RateTable::insert(Set& set, std::uint64_t tag, std::uint64_t state, RateTime now) noexcept {
  for (int tries = 0; set.locked.exchange(1, std::memory_order_acquire) != 0; ++tries)
    if (tries >= 100) std::this_thread::yield();
  const bool free_to_insert = find(set, tag).state == nullptr;
  if (free_to_insert) {
    std::size_t place = 0;
    std::uint64_t least = ~std::uint64_t{0};
    bool reused = true;
    for (std::size_t i = 0; i < kPlaces && reused; ++i) {
      reused = set.tags[i].load(std::memory_order_relaxed) != 0;
      const auto useful_until = reused ? rule_.forgettable_at(set.states[i].load(std::memory_order_relaxed)) : 0;
      if (useful_until >= least) continue;
      least = useful_until;
      place = i;
    }
    const auto dropped = set.states[place].load(std::memory_order_relaxed);
    set.tags[place].store(0, std::memory_order_relaxed);
    set.states[place].store(state, std::memory_order_release);
    set.tags[place].store(tag, std::memory_order_release);
    if (reused) {
      counters_.evictions.fetch_add(1, std::memory_order_relaxed);
      if (!rule_.forgettable(dropped, now)) counters_.displaced.fetch_add(1, std::memory_order_relaxed);
    } else {
      counters_.keys.fetch_add(1, std::memory_order_relaxed);
    }
  }
  set.locked.store(0, std::memory_order_release);
  return free_to_insert;
}

RateDecision RateTable::decide(RateKey key, RateTime now, std::uint64_t cost, RateCharge* charge) noexcept {
  const auto tag = tag_of(key);
  Set& set = set_of(tag);
  __builtin_prefetch(&set.states, 1);
  for (;;) {
    auto [state, seen] = find(set, tag);
    const auto verdict = rule_.judge(seen, now, cost);
    // A place reused in this moment keeps its own state: the swap expects ours. A charge that went down with a place
    // that was reused just after it is the same as a key displaced just after it.
    const bool settled =
        !verdict.decision.allowed ||
        (state == nullptr ? insert(set, tag, verdict.state, now)
                          : state->compare_exchange_strong(seen, verdict.state, std::memory_order_acq_rel,
                                                           std::memory_order_relaxed));
    if (!settled) continue;
    if (charge != nullptr) *charge = {verdict.state, verdict.decision.allowed ? cost : 0};
    return verdict.decision;
  }
}

RateDecision RateTable::peek(RateKey key, RateTime now, std::uint64_t cost) const noexcept {
  const auto tag = tag_of(key);
  return rule_.judge(find(set_of(tag), tag).seen, now, cost).decision;
}

// Changes the state of a key that is there; false where `change` left it as it was or the key is unknown.
template <class Change>
bool RateTable::update(RateKey key, Change change) noexcept {
  const auto tag = tag_of(key);
  Set& set = set_of(tag);
  for (;;) {
    auto [state, seen] = find(set, tag);
    const auto changed = change(seen);
    if (state == nullptr || changed == seen) return false;
    if (state->compare_exchange_strong(seen, changed, std::memory_order_acq_rel, std::memory_order_relaxed))
      return true;
  }
}

void RateTable::give_back(RateKey key, RateTime now, const RateCharge& charge) noexcept {
  if (charge.cost != 0) update(key, [&](std::uint64_t state) { return rule_.without(state, now, charge); });
}

void RateTable::fail(RateKey key, RateTime now) noexcept {
  if (update(key, [&](std::uint64_t state) { return rule_.failed(state, now); }))
    counters_.lockouts.fetch_add(1, std::memory_order_relaxed);
}

void RateTable::forgive(RateKey key) noexcept {
  update(key, [](std::uint64_t) { return std::uint64_t{0}; });
}

void RateTable::mirror(RateKey key, RateTime now, RateDuration owed) noexcept {
  if (owed <= RateDuration::zero()) return;
  const auto tag = tag_of(key);
  Set& set = set_of(tag);
  while (find(set, tag).state == nullptr)
    if (insert(set, tag, rule_.owing(0, now, owed), now)) return;
  update(key, [&](std::uint64_t state) { return rule_.owing(state, now, owed); });
}

bool take_all(std::span<RateAsk> asks, RateTime now, RateTime (*clock)()) noexcept {
  if (asks.size() > 1) {
    for (const RateAsk& ask : asks) ask.table->prefetch(ask.key);
    bool allowed = true;
    for (RateAsk& ask : asks) {
      ask.decision = ask.table->peek(ask.key, now, ask.cost);
      allowed = allowed && ask.decision.allowed;
    }
    if (!allowed) {
      // The others took nothing: they stand as they did before this request.
      for (RateAsk& ask : asks)
        if (ask.decision.allowed) ask.decision = ask.table->peek(ask.key, now, 0);
      return false;
    }
  }
  for (std::size_t i = 0; i < asks.size(); ++i) {
    asks[i].decision = asks[i].table->decide(asks[i].key, now, asks[i].cost, &asks[i].charge);
    if (asks[i].decision.allowed) continue;
    while (i-- > 0) {
      asks[i].table->give_back(asks[i].key, clock(), asks[i].charge);
      asks[i].decision = asks[i].table->peek(asks[i].key, now, 0);
    }
    return false;
  }
  return true;
}

}  // namespace gatehouse
