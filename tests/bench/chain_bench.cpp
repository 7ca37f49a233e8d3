// A request through a chain of filters to an app that answers at once, without sockets: none, and those that the comparison with other
// proxies has on.
#include "filters/chain.hpp"
#include "filters/rate_limit.hpp"
#include "filters/request_id.hpp"
#include "filters/security_headers.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <exception>

namespace gatehouse {
namespace {

class Origin final : public Terminal {
 public:
  awaitable<Response> handle(Exchange& exchange) override {
    Response response(exchange.arena());
    response.headers.add_view("server", "nginx/1.22.1");
    response.headers.add_view("content-type", "application/json");
    co_return response;
  }
};

std::vector<std::unique_ptr<Filter>> everything(RateTables& tables) {
  SecurityHeaders::Options headers;
  headers.preset = SecurityHeaders::Preset::kApi;
  headers.hsts = SecurityHeaders::Hsts{};
  headers.hsts->always = true;
  RatePolicy policy;
  policy.name = "per-client";
  policy.quota = policy.burst = 1000000;
  policy.window = std::chrono::seconds(1);
  std::vector<std::unique_ptr<Filter>> filters;
  filters.push_back(std::make_unique<RequestId>());
  filters.push_back(std::make_unique<SecurityHeaders>(headers));
  filters.push_back(std::make_unique<RateLimit>(std::vector<RatePolicy>{policy}, tables));
  return filters;
}

awaitable<void> serve(benchmark::State& state, const Chain& chain, std::size_t fields) {
  Arena arena;
  for (auto _ : state) {
    arena.clear();
    Exchange exchange(arena);
    exchange.client.text = "192.0.2.1";
    exchange.client.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
    exchange.request().headers.add_view("host", "localhost");
    Response response = co_await chain.run(exchange);
    // What does not do its work must not look fast.
    if (response.status != 200 || response.headers.size() < fields) std::abort();
  }
}

void run(benchmark::State& state, const Chain& chain, std::size_t fields) {
  boost::asio::io_context io(1);
  const auto rethrow = [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  };
  boost::asio::co_spawn(io, serve(state, chain, fields), rethrow);
  io.run();
}

void no_filters(benchmark::State& state) {
  Origin origin;
  const Chain chain({}, origin);
  run(state, chain, 2);
}

void all_filters(benchmark::State& state) {
  RateTables tables;
  Origin origin;
  const Chain chain(everything(tables), origin);
  run(state, chain, 8);
}

BENCHMARK(no_filters);
BENCHMARK(all_filters);

}  // namespace
}  // namespace gatehouse
