// One process of several that share rate limits in Redis: its own tables, its own connection, and an app that counts its requests.
#pragma once

#include "filters/chain.hpp"
#include "filters/rate_store_redis.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace gatehouse::test {

class CountingApp final : public Terminal {
 public:
  awaitable<Response> handle(Exchange& exchange) override {
    ++requests;
    Response response(exchange.arena());
    co_return response;
  }
  int requests = 0;
};

struct Answer {
  int status = 0;
  std::string rate_limit;
  std::string retry_after;
  std::string reason;
};

inline RatePolicy policy(std::string name, std::uint64_t quota, RateDuration window = std::chrono::hours(1)) {
  RatePolicy policy;
  policy.name = std::move(name);
  policy.quota = quota;
  policy.window = window;
  policy.max_keys = 1000;
  return policy;
}

// One process of several: its own tables and its own connection.
class Replica {
 public:
  Replica(boost::asio::io_context& io, std::vector<RatePolicy> policies, RateStore store)
      : io_(io), links_([this](const std::string& what) { events.push_back(what); }) {
    for (auto& each : policies) each.store = store;
    std::vector<std::unique_ptr<Filter>> filters;
    filters.push_back(std::make_unique<RateStoreRedis>(policies, tables, links_.obtain(store)));
    chain_ = std::make_unique<Chain>(std::move(filters), app);
  }

  // Starts a request; `answers` grows when it is over.
  void start(std::vector<Answer>& answers, std::string client = "192.0.2.1", std::string api_key = {}) {
    const auto ended = [](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
    };
    boost::asio::co_spawn(io_, request(*chain_, answers, std::move(client), std::move(api_key)), ended);
  }
  Answer send(std::string client = "192.0.2.1", std::string api_key = {}) {
    std::vector<Answer> answers;
    start(answers, std::move(client), std::move(api_key));
    until([&] { return !answers.empty(); });
    return answers.empty() ? Answer{} : answers.front();
  }
  void until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    bool met = condition();
    while (!met && std::chrono::steady_clock::now() < deadline) {
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(100));
      met = condition();
    }
    ASSERT_TRUE(met);
  }
  void let_go() { chain_.reset(); }
  std::uint64_t failures() const {
    std::uint64_t count = 0;
    tables.for_each([&](const std::string&, const RateTable& table) {
      count += table.counters().store_failures + table.counters().store_timeouts;
    });
    return count;
  }

  std::vector<std::string> events;
  RateTables tables;
  CountingApp app;

 private:
  static awaitable<void> request(const Chain& chain, std::vector<Answer>& answers, std::string client,
                                 std::string api_key) {
    Arena arena;
    Exchange exchange(arena);
    exchange.client.bytes = parse_address(client)->bytes;
    if (!api_key.empty()) exchange.request().headers.add("x-api-key", api_key);
    const Response response = co_await chain.run(exchange);
    answers.push_back({response.status, std::string(response.headers.value("RateLimit")),
                       std::string(response.headers.value("Retry-After")), std::string(exchange.outcome().reason)});
  }

  boost::asio::io_context& io_;
  RedisLinks links_;
  std::unique_ptr<Chain> chain_;
};

}  // namespace gatehouse::test
