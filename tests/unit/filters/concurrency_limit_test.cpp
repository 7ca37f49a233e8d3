#include "filters/concurrency_limit.hpp"

#include "filters/chain.hpp"
#include "http/address.hpp"
#include "support/filter_probe.hpp"

#include <gtest/gtest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <latch>
#include <map>
#include <thread>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

// An event that coroutines wait for.
class Signal {
 public:
  explicit Signal(asio::io_context& io) : timer_(io, std::chrono::steady_clock::time_point::max()) {}
  void raise() {
    raised_ = true;
    timer_.cancel();
  }
  awaitable<void> wait() {
    while (!raised_) co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }

 private:
  asio::steady_timer timer_;
  bool raised_ = false;
};

// Answers when the test says so.
class ScriptedApp final : public Terminal {
 public:
  explicit ScriptedApp(asio::io_context& io) : io_(io) {}

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
  asio::io_context& io_;
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
    asio::co_spawn(io, request(path, client), ended);
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
    while (answers.size() < count && io.run_one_for(20s) != 0) {
    }
    ASSERT_EQ(answers.size(), count);
  }

  asio::io_context io{1};
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

ConcurrencyLimit::Options at_most(std::int64_t requests, std::int64_t queue = 100) {
  ConcurrencyLimit::Options options;
  options.requests = requests;
  options.queue = queue;
  options.queue_timeout = 60s;
  return options;
}

using Paths = std::vector<std::string>;

class ConcurrencyLimitTest : public ::testing::Test {
 protected:
  ConcurrencyLimit::Gates gates_;
};

TEST_F(ConcurrencyLimitTest, LetsSoManyInAndTheOthersWaitInOrder) {
  Worker worker(at_most(2), gates_);
  for (const auto* path : {"/1", "/2", "/3", "/4"}) worker.send(path);
  EXPECT_EQ(worker.app.arrived, (Paths{"/1", "/2"}));
  worker.answer_and_finish("/2");
  EXPECT_EQ(worker.app.arrived, (Paths{"/1", "/2", "/3"}));
  worker.answer_and_finish("/1");
  EXPECT_EQ(worker.app.arrived, (Paths{"/1", "/2", "/3", "/4"}));
}

TEST_F(ConcurrencyLimitTest, APlaceIsTakenUntilTheResponseHasBeenSent) {
  Worker worker(at_most(1), gates_);
  worker.send("/1");
  worker.send("/2");
  worker.answer("/1");
  EXPECT_EQ(worker.app.arrived, Paths{"/1"});
  worker.finish("/1");
  EXPECT_EQ(worker.app.arrived, (Paths{"/1", "/2"}));
}

TEST_F(ConcurrencyLimitTest, AStreamHasItsPlaceUntilItEnds) {
  for (const std::string path : {"/events", "/socket"}) {
    Worker worker(at_most(1), gates_);
    worker.send(path);
    worker.send("/2");
    worker.answer(path);
    EXPECT_EQ(worker.app.arrived, Paths{path});
    worker.finish(path);
    EXPECT_EQ(worker.app.arrived, (Paths{path, "/2"}));
  }
}

TEST_F(ConcurrencyLimitTest, AFreeStreamGivesItsPlaceUpOnceWhenItBegins) {
  for (const std::string path : {"/events", "/socket"}) {
    auto options = at_most(1);
    options.streams = ConcurrencyLimit::Streams::kFree;
    Worker worker(options, gates_);
    worker.send(path);
    worker.send("/2");
    worker.answer(path);
    EXPECT_EQ(worker.app.arrived, (Paths{path, "/2"}));
    worker.finish(path);
    worker.send("/3");
    EXPECT_EQ(worker.app.arrived.size(), 2U) << "a stream's place was given away twice";
  }
}

TEST_F(ConcurrencyLimitTest, AClientThatLeavesWaitsNoMore) {
  Worker worker(at_most(1, 2), gates_);
  for (const auto* path : {"/1", "/2", "/3"}) worker.send(path);
  worker.leave("/2");
  worker.until_answered(1);
  EXPECT_EQ(worker.answers[0].path, "/2");
  EXPECT_EQ(worker.answers[0].reason, "abandoned_in_queue");
  worker.send("/4");
  EXPECT_EQ(worker.answers.size(), 1U) << "whoever left still takes a seat";
  worker.answer_and_finish("/1");
  worker.answer_and_finish("/3");
  EXPECT_EQ(worker.app.arrived, (Paths{"/1", "/3", "/4"}));
}

TEST_F(ConcurrencyLimitTest, APlaceForAClientThatHasLeftGoesToTheNext) {
  Worker worker(at_most(1), gates_);
  for (const auto* path : {"/1", "/2", "/3"}) worker.send(path);
  worker.leave("/2");
  worker.answer_and_finish("/1");
  EXPECT_EQ(worker.app.arrived, (Paths{"/1", "/3"}));
}

TEST_F(ConcurrencyLimitTest, AFullWaitingRoomRefusesAtOnce) {
  Worker worker(at_most(1, 1), gates_);
  for (const auto* path : {"/1", "/2", "/3"}) worker.send(path);
  ASSERT_EQ(worker.answers.size(), 1U);
  EXPECT_EQ(worker.answers[0].path, "/3");
  EXPECT_EQ(worker.answers[0].status, 503);
  EXPECT_EQ(worker.answers[0].reason, "queue_full");
  EXPECT_EQ(worker.answers[0].retry_after, "60");
}

TEST_F(ConcurrencyLimitTest, NobodyWaitsForEver) {
  auto options = at_most(1);
  options.queue_timeout = 1ms;
  Worker worker(options, gates_);
  worker.send("/1");
  worker.send("/2");
  worker.until_answered(1);
  EXPECT_EQ(worker.answers[0].path, "/2");
  EXPECT_EQ(worker.answers[0].reason, "queue_timeout");
  EXPECT_EQ(worker.answers[0].retry_after, "1");
  worker.answer_and_finish("/1");
  worker.send("/3");
  EXPECT_EQ(worker.app.arrived, (Paths{"/1", "/3"}));
}

TEST_F(ConcurrencyLimitTest, OneClientCannotHaveThemAll) {
  auto options = at_most(10);
  options.per_client = 2;
  Worker worker(options, gates_);
  worker.send("/1");
  worker.send("/2");
  worker.send("/3");
  ASSERT_EQ(worker.answers.size(), 1U);
  EXPECT_EQ(worker.answers[0].status, 429);
  EXPECT_EQ(worker.answers[0].reason, "too_many_concurrent");
  EXPECT_EQ(worker.answers[0].retry_after, "1");
  worker.send("/4", "192.0.2.2");
  worker.answer_and_finish("/1");
  worker.send("/5");
  EXPECT_EQ(worker.app.arrived, (Paths{"/1", "/2", "/4", "/5"}));
}

TEST_F(ConcurrencyLimitTest, WaitingCountsForTheClientToo) {
  auto options = at_most(1);
  options.per_client = 2;
  Worker worker(options, gates_);
  for (const auto* path : {"/1", "/2", "/3"}) worker.send(path);
  ASSERT_EQ(worker.answers.size(), 1U);
  EXPECT_EQ(worker.answers[0].status, 429);
}

TEST_F(ConcurrencyLimitTest, AddressesOfOneNetworkAreOneClient) {
  auto options = at_most(0);
  options.per_client = 1;
  Worker worker(options, gates_);
  worker.send("/1", "2001:db8::1");
  worker.send("/2", "2001:db8::2");
  worker.send("/3", "2001:db8:0:1::1");
  EXPECT_EQ(worker.app.arrived, (Paths{"/1", "/3"}));
}

TEST_F(ConcurrencyLimitTest, AnyKeyOfARateLimitMakesAClient) {
  auto options = at_most(0);
  options.per_client = 1;
  options.client.parts = {*parse_rate_key_part("header:X-Api-Key")};
  Worker worker(options, gates_);
  worker.send("/key/a/1", "192.0.2.1");
  worker.send("/key/a/2", "192.0.2.2");
  worker.send("/key/b/1", "192.0.2.1");
  EXPECT_EQ(worker.app.arrived, (Paths{"/key/a/1", "/key/b/1"}));
}

TEST_F(ConcurrencyLimitTest, HealthChecksNeverWait) {
  Worker worker(at_most(1), gates_);
  worker.send("/1");
  worker.send("/healthz");
  worker.send("/livez");
  EXPECT_EQ(worker.app.arrived, (Paths{"/1", "/healthz", "/livez"}));
}

TEST_F(ConcurrencyLimitTest, EverythingBelowAPathMayBeExempt) {
  auto options = at_most(1);
  options.exempt_paths = {"/internal/*"};
  Worker worker(options, gates_);
  for (const auto* path : {"/1", "/internal/check", "/internal/../search"}) worker.send(path);
  EXPECT_EQ(worker.app.arrived, (Paths{"/1", "/internal/check"}));
}

TEST_F(ConcurrencyLimitTest, WithoutNumbersThereIsNoLimit) {
  Worker worker(at_most(0), gates_);
  for (int i = 0; i < 50; ++i) worker.send("/" + std::to_string(i));
  EXPECT_EQ(worker.app.arrived.size(), 50U);
}

TEST_F(ConcurrencyLimitTest, WorkersShareThePlaces) {
  Worker one(at_most(2), gates_);
  Worker other(at_most(2), gates_);
  one.send("/1");
  one.send("/2");
  other.send("/3");
  other.send("/4");
  EXPECT_TRUE(other.app.arrived.empty());
  one.answer_and_finish("/1");
  other.run();
  EXPECT_EQ(other.app.arrived, Paths{"/3"});
}

TEST_F(ConcurrencyLimitTest, AWorkerWithManyWaitersDoesNotStarveAnother) {
  Worker one(at_most(1), gates_);
  Worker other(at_most(1), gates_);
  for (const auto* path : {"/1", "/2", "/3", "/4"}) one.send(path);
  other.send("/x");
  one.answer_and_finish("/1");
  other.run();
  one.run();
  if (other.app.arrived.empty()) one.answer_and_finish("/2");
  other.run();
  EXPECT_EQ(other.app.arrived, Paths{"/x"});
}

// Two places become free at one moment, and one of those who wait is with each of two other workers.
TEST_F(ConcurrencyLimitTest, EveryFreePlaceFindsSomebodyWhoWaits) {
  Worker one(at_most(2), gates_);
  Worker second(at_most(2), gates_);
  Worker third(at_most(2), gates_);
  one.send("/1");
  one.send("/2");
  second.send("/x");
  third.send("/y");
  one.answer_and_finish("/1");
  one.answer_and_finish("/2");
  second.run();
  third.run();
  second.run();
  EXPECT_EQ(second.app.arrived, Paths{"/x"});
  EXPECT_EQ(third.app.arrived, Paths{"/y"});
}

TEST_F(ConcurrencyLimitTest, TheNextConfigurationKnowsWhoHasAPlace) {
  auto first = std::make_unique<Worker>(at_most(1), gates_);
  first->send("/1");
  auto options = at_most(1);
  options.queue_timeout = 5s;
  options.exempt_paths = {"/up"};
  Worker next(options, gates_);
  next.send("/2");
  EXPECT_TRUE(next.app.arrived.empty());
  first->answer_and_finish("/1");
  next.run();
  EXPECT_EQ(next.app.arrived, Paths{"/2"});
}

TEST_F(ConcurrencyLimitTest, ALimitThatNobodyHoldsIsLetGo) {
  const auto count = [&] {
    int limits = 0;
    gates_.for_each([&](const std::string&, const ConcurrencyShared&) { ++limits; });
    return limits;
  };
  {
    const Worker one(at_most(1), gates_);
    const Worker other(at_most(2), gates_);
    EXPECT_EQ(count(), 2);
  }
  EXPECT_EQ(count(), 0);
}

TEST_F(ConcurrencyLimitTest, OneTemplateForOtherMethodsIsAnotherLimit) {
  auto reading = at_most(1);
  reading.scope = " GET";
  auto writing = at_most(1);
  writing.scope = " POST";
  Worker one(reading, gates_);
  Worker other(writing, gates_);
  one.send("/1");
  other.send("/2");
  EXPECT_EQ(other.app.arrived, Paths{"/2"});
}

TEST_F(ConcurrencyLimitTest, OtherOptionsAreAnotherLimit) {
  Worker one(at_most(1), gates_);
  auto options = at_most(1);
  options.name = "/search";
  Worker other(options, gates_);
  one.send("/1");
  other.send("/2");
  EXPECT_EQ(other.app.arrived, Paths{"/2"});
}

TEST_F(ConcurrencyLimitTest, TellsWhatItCounts) {
  auto options = at_most(1, 1);
  Worker worker(options, gates_);
  for (const auto* path : {"/1", "/2", "/3"}) worker.send(path);
  int visited = 0;
  gates_.for_each([&](const std::string& name, const ConcurrencyShared& shared) {
    ++visited;
    EXPECT_EQ(name, "all");
    EXPECT_EQ(shared.gate->in_use(), 1);
    EXPECT_EQ(shared.gate->waiting(), 1);
    EXPECT_EQ(shared.counters.waits, 2U);
    EXPECT_EQ(shared.counters.queue_full, 1U);
  });
  EXPECT_EQ(visited, 1);
}

TEST_F(ConcurrencyLimitTest, RequestsThatEndWithTheirWorkerLeaveNothingBehind) {
  auto kept = std::make_unique<Worker>(at_most(1), gates_);
  kept->send("/1");
  kept->send("/2");
  Worker other(at_most(1), gates_);
  kept.reset();
  other.send("/3");
  EXPECT_EQ(other.app.arrived, Paths{"/3"});
}

// Does a little work on its own thread and counts how many do so at the same time.
class BusyApp final : public Terminal {
 public:
  BusyApp(std::atomic<int>& busy, std::atomic<int>& most) : busy_(busy), most_(most) {}
  awaitable<Response> handle(Exchange& exchange) override {
    const int now = busy_.fetch_add(1) + 1;
    for (int seen = most_.load(); seen < now && !most_.compare_exchange_weak(seen, now);) {
    }
    const auto executor = co_await asio::this_coro::executor;
    for (int i = 0; i < 3; ++i) co_await asio::post(executor, asio::use_awaitable);
    busy_.fetch_sub(1);
    Response response(exchange.arena());
    co_return response;
  }

 private:
  std::atomic<int>& busy_;
  std::atomic<int>& most_;
};

awaitable<void> request(const Chain& chain, bool leaves, std::atomic<int>& served, std::latch& answered) {
  Arena arena;
  {
    LeavingExchange exchange(arena, leaves);
    const Response response = co_await chain.run(exchange);
    if (response.status == 200) ++served;
  }
  answered.count_down();
}

// Threads that serve `requests` each at the same time through one limit; how many were served.
class Crowd {
 public:
  Crowd(ConcurrencyLimit::Gates& gates, const ConcurrencyLimit::Options& options, int requests, int leaving_of_seven)
      : answered_(kThreads * requests) {
    for (int i = 0; i < kThreads; ++i) {
      workers_.push_back(std::make_unique<asio::io_context>(1));
      std::vector<std::unique_ptr<Filter>> filters;
      filters.push_back(std::make_unique<ConcurrencyLimit>(options, gates));
      chains_.push_back(std::make_unique<Chain>(std::move(filters), app_));
      const auto ended = [](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
      };
      for (int n = 0; n < requests; ++n)
        asio::co_spawn(*workers_.back(), request(*chains_.back(), n % 7 < leaving_of_seven, served, answered_), ended);
    }
  }
  void run() {
    // A worker whose own requests are answered still passes places on.
    std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
    std::vector<std::thread> threads;
    for (auto& worker : workers_) {
      guards.push_back(asio::make_work_guard(*worker));
      threads.emplace_back([&worker] { worker->run(); });
    }
    answered_.wait();
    guards.clear();
    for (auto& thread : threads) thread.join();
  }

  static constexpr int kThreads = 3;
  std::atomic<int> busy{0};
  std::atomic<int> most{0};
  std::atomic<int> served{0};

 private:
  std::latch answered_;
  BusyApp app_{busy, most};
  std::vector<std::unique_ptr<asio::io_context>> workers_;
  std::vector<std::unique_ptr<Chain>> chains_;
};

void expect_empty(const ConcurrencyLimit::Gates& gates) {
  gates.for_each([](const std::string&, const ConcurrencyShared& shared) {
    EXPECT_EQ(shared.gate->in_use(), 0);
    EXPECT_EQ(shared.gate->waiting(), 0);
  });
}

TEST_F(ConcurrencyLimitTest, ThreadsNeverExceedThePlacesAndNobodyIsForgotten) {
  for (const int places : {1, 2, 3, 5}) {
    Crowd crowd(gates_, at_most(places, 100000), 300, 0);
    crowd.run();
    EXPECT_EQ(crowd.served, Crowd::kThreads * 300);
    EXPECT_LE(crowd.most, places);
    EXPECT_EQ(crowd.busy, 0);
    expect_empty(gates_);
  }
}

TEST_F(ConcurrencyLimitTest, ThreadsWhoseClientsLeaveOrTireLoseNoPlace) {
  auto options = at_most(2, 200);
  options.queue_timeout = 2ms;
  Crowd crowd(gates_, options, 300, 2);
  crowd.run();
  EXPECT_GT(crowd.served, 0);
  EXPECT_LE(crowd.most, 2);
  expect_empty(gates_);
}

TEST(ConcurrencyOptions, AreRead) {
  const auto read = [](OptionsReader& options) { return ConcurrencyLimit::read(options); };
  const auto options = test::read_section(
      "concurrency: { requests: 40, per_client: 8, queue: 10, queue_timeout: 250ms, exempt_paths: [/up], ipv6_prefix: "
      "56, keys: [client_address, route], streams: free }\n",
      ConcurrencyLimit::section(), read);
  EXPECT_EQ(options.requests, 40);
  EXPECT_EQ(options.per_client, 8);
  EXPECT_EQ(options.queue, 10);
  EXPECT_EQ(options.queue_timeout, 250ms);
  EXPECT_EQ(options.exempt_paths, Paths{"/up"});
  EXPECT_EQ(options.client.ipv6_prefix, 56U);
  EXPECT_EQ(options.client.parts.size(), 2U);
  EXPECT_EQ(options.streams, ConcurrencyLimit::Streams::kFree);
}

TEST(ConcurrencyOptions, DefaultsAreThoseOfTheStruct) {
  const auto read = [](OptionsReader& options) { return ConcurrencyLimit::read(options); };
  EXPECT_EQ(test::read_section("concurrency: {}\n", ConcurrencyLimit::section(), read), ConcurrencyLimit::Options{});
}

}  // namespace
}  // namespace gatehouse
