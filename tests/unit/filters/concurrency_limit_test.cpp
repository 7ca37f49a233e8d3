#include "filters/concurrency_limit.hpp"

#include "support/concurrency_worker.hpp"
#include "support/filter_probe.hpp"

namespace gatehouse {
namespace {

using namespace test;
using namespace std::chrono_literals;

TEST_F(ConcurrencyLimitTest, LetsSoManyInAndTheOthersWaitInOrder) {
  Worker worker(at_most(2), gates_);
  for (const auto* path : {"/1", "/2", "/3", "/4"}) worker.send(path);
  EXPECT_EQ(worker.app.arrived, (Arrived{"/1", "/2"}));
  worker.answer_and_finish("/2");
  EXPECT_EQ(worker.app.arrived, (Arrived{"/1", "/2", "/3"}));
  worker.answer_and_finish("/1");
  EXPECT_EQ(worker.app.arrived, (Arrived{"/1", "/2", "/3", "/4"}));
}

TEST_F(ConcurrencyLimitTest, APlaceIsTakenUntilTheResponseHasBeenSent) {
  Worker worker(at_most(1), gates_);
  worker.send("/1");
  worker.send("/2");
  worker.answer("/1");
  EXPECT_EQ(worker.app.arrived, Arrived{"/1"});
  worker.finish("/1");
  EXPECT_EQ(worker.app.arrived, (Arrived{"/1", "/2"}));
}

TEST_F(ConcurrencyLimitTest, AStreamHasItsPlaceUntilItEnds) {
  for (const std::string path : {"/events", "/socket"}) {
    Worker worker(at_most(1), gates_);
    worker.send(path);
    worker.send("/2");
    worker.answer(path);
    EXPECT_EQ(worker.app.arrived, Arrived{path});
    worker.finish(path);
    EXPECT_EQ(worker.app.arrived, (Arrived{path, "/2"}));
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
    EXPECT_EQ(worker.app.arrived, (Arrived{path, "/2"}));
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
  EXPECT_EQ(worker.app.arrived, (Arrived{"/1", "/3", "/4"}));
}

TEST_F(ConcurrencyLimitTest, APlaceForAClientThatHasLeftGoesToTheNext) {
  Worker worker(at_most(1), gates_);
  for (const auto* path : {"/1", "/2", "/3"}) worker.send(path);
  worker.leave("/2");
  worker.answer_and_finish("/1");
  EXPECT_EQ(worker.app.arrived, (Arrived{"/1", "/3"}));
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
  EXPECT_EQ(worker.app.arrived, (Arrived{"/1", "/3"}));
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
  EXPECT_EQ(worker.app.arrived, (Arrived{"/1", "/2", "/4", "/5"}));
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
  EXPECT_EQ(worker.app.arrived, (Arrived{"/1", "/3"}));
}

TEST_F(ConcurrencyLimitTest, AnyKeyOfARateLimitMakesAClient) {
  auto options = at_most(0);
  options.per_client = 1;
  options.client.parts = {*parse_rate_key_part("header:X-Api-Key")};
  Worker worker(options, gates_);
  worker.send("/key/a/1", "192.0.2.1");
  worker.send("/key/a/2", "192.0.2.2");
  worker.send("/key/b/1", "192.0.2.1");
  EXPECT_EQ(worker.app.arrived, (Arrived{"/key/a/1", "/key/b/1"}));
}

TEST_F(ConcurrencyLimitTest, HealthChecksNeverWait) {
  Worker worker(at_most(1), gates_);
  worker.send("/1");
  worker.send("/healthz");
  worker.send("/livez");
  EXPECT_EQ(worker.app.arrived, (Arrived{"/1", "/healthz", "/livez"}));
}

TEST_F(ConcurrencyLimitTest, EverythingBelowAPathMayBeExempt) {
  auto options = at_most(1);
  options.exempt_paths = {"/internal/*"};
  Worker worker(options, gates_);
  for (const auto* path : {"/1", "/internal/check", "/internal/../search"}) worker.send(path);
  EXPECT_EQ(worker.app.arrived, (Arrived{"/1", "/internal/check"}));
}

TEST_F(ConcurrencyLimitTest, WithoutNumbersThereIsNoLimit) {
  Worker worker(at_most(0), gates_);
  for (int i = 0; i < 50; ++i) worker.send("/" + std::to_string(i));
  EXPECT_EQ(worker.app.arrived.size(), 50U);
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
  EXPECT_EQ(options.exempt_paths, Arrived{"/up"});
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
