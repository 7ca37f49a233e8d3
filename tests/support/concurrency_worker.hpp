// A worker whose requests meet a ConcurrencyLimit, and an application that answers when the test says so. One thread each.
#pragma once

#include "filters/chain.hpp"
#include "filters/concurrency_limit.hpp"
#include "http/address.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gatehouse::test {

// An event that coroutines wait for.
class Signal {
 public:
  explicit Signal(boost::asio::io_context& io) : timer_(io, std::chrono::steady_clock::time_point::max()) {}
  void raise() {
    raised_ = true;
    timer_.cancel();
  }
  awaitable<void> wait() {
    while (!raised_) co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }

 private:
  boost::asio::steady_timer timer_;
  bool raised_ = false;
};

// Answers when the test says so.
class ScriptedApp final : public Terminal {
 public:
  explicit ScriptedApp(boost::asio::io_context& io) : io_(io) {}

  awaitable<Response> handle(Exchange& exchange) override {
    const std::string path(exchange.request().path);
    arrived.push_back(path);
    auto [at, inserted] = answers_.try_emplace(path, nullptr);
    if (at->second == nullptr) at->second = std::make_unique<Signal>(io_);
    Signal& answer = *at->second;
    co_await answer.wait();
    Response response(exchange.arena());
    response.status = path == "/socket" ? 101 : 200;
    if (path == "/events") response.headers.add("Content-Type", "Text/Event-Stream; charset=utf-8");
    co_return response;
  }
  void answer(const std::string& path) { answers_.at(path)->raise(); }

  std::vector<std::string> arrived;

 private:
  boost::asio::io_context& io_;
  std::map<std::string, std::unique_ptr<Signal>> answers_;
};

// Whose client may leave.
class LeavingExchange final : public Exchange {
 public:
  LeavingExchange(Arena& arena, const bool& left) : Exchange(arena), left_(left) {}
  bool abandoned() override { return left_; }

 private:
  const bool& left_;
};

struct Answer {
  std::string path;
  int status;
  std::string reason;
  std::string retry_after;
};

// A worker with the filter before a scripted application.
class Worker {
 public:
  Worker(ConcurrencyLimit::Options options, ConcurrencyLimit::Gates& gates) : app(io) {
    std::vector<std::unique_ptr<Filter>> filters;
    filters.push_back(std::make_unique<ConcurrencyLimit>(std::move(options), gates));
    chain_ = std::make_unique<Chain>(std::move(filters), app);
  }
  // Sends a request, which is over when the test says finish().
  void send(const std::string& path, const std::string& client = "192.0.2.1") {
    finish_.emplace(path, std::make_unique<Signal>(io));
    const auto ended = [](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
    };
    boost::asio::co_spawn(io, request(path, client), ended);
    run();
  }
  void answer(const std::string& path) {
    app.answer(path);
    run();
  }
  // The response has been sent.
  void finish(const std::string& path) {
    finish_.at(path)->raise();
    run();
  }
  void answer_and_finish(const std::string& path) {
    app.answer(path);
    finish(path);
  }
  // The client of that request is gone.
  void leave(const std::string& path) { left_.insert_or_assign(path, true); }
  // Whatever can be done without waiting.
  void run() {
    io.restart();
    io.poll();
  }
  void until_answered(std::size_t count) {
    io.restart();
    while (answers.size() < count && io.run_one_for(std::chrono::seconds(20)) != 0) {
    }
    ASSERT_EQ(answers.size(), count);
  }

  boost::asio::io_context io{1};
  ScriptedApp app;
  std::vector<Answer> answers;

 private:
  awaitable<void> request(std::string path, std::string client) {
    Arena arena;
    LeavingExchange exchange(arena, left_[path]);
    exchange.client.bytes = parse_address(client)->bytes;
    exchange.request().path = path;
    if (path.starts_with("/key/")) exchange.request().headers.add("x-api-key", path.substr(5, 1));
    const Response response = co_await chain_->run(exchange);
    answers.push_back({path, response.status, std::string(exchange.outcome().reason),
                       std::string(response.headers.value("Retry-After"))});
    Signal& finished = *finish_.at(path);
    if (response.status < 400) co_await finished.wait();
  }

  std::unique_ptr<Chain> chain_;
  std::map<std::string, std::unique_ptr<Signal>> finish_;
  std::map<std::string, bool> left_;
};

inline ConcurrencyLimit::Options at_most(std::int64_t requests, std::int64_t queue = 100) {
  ConcurrencyLimit::Options options;
  options.requests = requests;
  options.queue = queue;
  options.queue_timeout = std::chrono::seconds(60);
  return options;
}

using Arrived = std::vector<std::string>;

class ConcurrencyLimitTest : public ::testing::Test {
 protected:
  ConcurrencyLimit::Gates gates_;
};

}  // namespace gatehouse::test
