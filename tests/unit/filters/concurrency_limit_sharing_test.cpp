// Workers that share places: in one process, from one configuration to the next, and from threads of their own.
#include "support/concurrency_worker.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <latch>
#include <thread>

namespace gatehouse {
namespace {

using namespace test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

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
  EXPECT_EQ(other.app.arrived, Arrived{"/3"});
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
  EXPECT_EQ(other.app.arrived, Arrived{"/x"});
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
  EXPECT_EQ(second.app.arrived, Arrived{"/x"});
  EXPECT_EQ(third.app.arrived, Arrived{"/y"});
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
  EXPECT_EQ(next.app.arrived, Arrived{"/2"});
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
  EXPECT_EQ(other.app.arrived, Arrived{"/2"});
}

TEST_F(ConcurrencyLimitTest, OtherOptionsAreAnotherLimit) {
  Worker one(at_most(1), gates_);
  auto options = at_most(1);
  options.name = "/search";
  Worker other(options, gates_);
  one.send("/1");
  other.send("/2");
  EXPECT_EQ(other.app.arrived, Arrived{"/2"});
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
  EXPECT_EQ(other.app.arrived, Arrived{"/3"});
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

}  // namespace
}  // namespace gatehouse
