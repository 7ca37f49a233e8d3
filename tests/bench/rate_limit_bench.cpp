// What a decision costs, with few keys (all in the caches) and many (none of them), and a whole filter for one request.
#include "filters/rate_limit.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

constexpr HashSecret kSecret = {1, 2};

RateKey key_of(std::uint64_t n) {
  KeyedHasher hasher(kSecret);
  hasher.add({reinterpret_cast<const char*>(&n), sizeof(n)});
  return RateKey{hasher.finish()};
}

// Keys in an order that no prefetcher guesses; hashing them is part of the decision.
void decide(benchmark::State& state) {
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  static RateTable* table = nullptr;
  if (state.thread_index() == 0) {
    table = new RateTable(RateRule(1000, 1s, 1000), keys);
    for (std::uint64_t n = 0; n < keys; ++n) table->decide(key_of(n), RateTime{1h}, 1);
  }
  std::uint64_t random = static_cast<std::uint64_t>(state.thread_index()) + 1;
  RateTime now{1h};
  for (auto _ : state) {
    random = random * 6364136223846793005 + 1442695040888963407;
    now += 50us;
    benchmark::DoNotOptimize(table->decide(key_of((random >> 33) % keys), now, 1));
  }
  if (state.thread_index() == 0) {
    state.counters["bytes/key"] = static_cast<double>(table->memory()) / static_cast<double>(keys);
    state.counters["displaced"] = static_cast<double>(table->counters().displaced);
    delete table;
  }
}
BENCHMARK(decide)->Arg(1000)->Arg(1000000)->ThreadRange(1, 2);

// All threads count by the same key: the worst case for the cache line.
void decide_one_key(benchmark::State& state) {
  static RateTable table(RateRule(1000000000, 1s, 1000000000), 1000);
  RateTime now{1h};
  for (auto _ : state) benchmark::DoNotOptimize(table.decide(RateKey{7}, now += 50us, 1));
}
BENCHMARK(decide_one_key)->ThreadRange(1, 2);

// A flood of addresses never seen before: each takes the place of another.
void decide_new_key(benchmark::State& state) {
  RateTable table(RateRule(100, 1s, 100), 100000);
  std::uint64_t n = 0;
  RateTime now{1h};
  for (auto _ : state) benchmark::DoNotOptimize(table.decide(key_of(n++), now += 1us, 1));
}
BENCHMARK(decide_new_key);

RatePolicy policy(std::string name) {
  RatePolicy policy;
  policy.name = std::move(name);
  policy.quota = 1000000000;
  policy.window = 1s;
  return policy;
}

// Request and response phase with the fields of the draft; the clock is read as in production.
void filter(benchmark::State& state) {
  std::vector<RatePolicy> policies;
  for (std::int64_t i = 0; i < state.range(0); ++i) policies.push_back(policy("policy-" + std::to_string(i)));
  RateTables tables;
  const RateLimit limit(policies, tables);
  Arena arena;
  std::size_t allocated = 0;
  for (auto _ : state) {
    arena.clear();
    Exchange exchange(arena);
    exchange.client.bytes = IpAddress::v4(0xc0000201).bytes;
    Response response(arena);
    const auto before = allocations;
    benchmark::DoNotOptimize(limit.on_request(exchange));
    limit.on_response(exchange, response);
    allocated += allocations - before;
    benchmark::DoNotOptimize(response);
  }
  state.counters["allocations"] = static_cast<double>(allocated) / static_cast<double>(state.iterations());
}
BENCHMARK(filter)->Arg(1)->Arg(3);

void refusal(benchmark::State& state) {
  RateTables tables;
  auto strict = policy("strict");
  strict.quota = 1;
  strict.window = 24h;
  const RateLimit limit({strict}, tables);
  Arena arena;
  for (auto _ : state) {
    arena.clear();
    Exchange exchange(arena);
    benchmark::DoNotOptimize(limit.on_request(exchange));
  }
}
BENCHMARK(refusal);

}  // namespace
}  // namespace gatehouse
