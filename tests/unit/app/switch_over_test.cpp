#include "app/switch_over.hpp"

#include "observe/log_queue.hpp"
#include "observe/log_sink.hpp"

#include <gtest/gtest.h>
#include <map>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;
using admin::SwitchOrder;
using admin::SwitchReport;
using admin::SwitchResult;
using admin::TrafficShares;

const TrafficShares kBlue{"blue", "blue", 0};
const TrafficShares kTenth{"blue", "green", 10};

SwitchOrder order_to(std::string pool, unsigned percent = 100, std::chrono::milliseconds watch = 0ms) {
  SwitchOrder order;
  order.to = std::move(pool);
  order.percent = percent;
  order.watch = watch;
  return order;
}

using Kind = SwitchPlan::Kind;
const std::vector<std::string> kPools{"blue", "green", "red"};

TEST(SwitchPlan, MovesWhatIsAskedForToAnotherPool) {
  EXPECT_EQ(plan_switch(order_to("green"), kBlue, kPools).next, (TrafficShares{"blue", "green", 100}));
  EXPECT_EQ(plan_switch(order_to("green", 10), kBlue, kPools).next, kTenth);
  EXPECT_EQ(plan_switch(order_to("green", 50), kTenth, kPools).next, (TrafficShares{"blue", "green", 50}));
  EXPECT_EQ(plan_switch(order_to("green"), kTenth, kPools).next, (TrafficShares{"blue", "green", 100}));
}

TEST(SwitchPlan, GoesBackToThePoolThatTheTrafficCameFrom) {
  EXPECT_EQ(plan_switch(order_to("blue"), kTenth, kPools).next, kBlue);
  EXPECT_EQ(plan_switch(order_to("blue", 30), kTenth, kPools).kind, Kind::kRefuse);
  EXPECT_EQ(plan_switch(order_to("blue", 100, 1s), kTenth, kPools).kind, Kind::kRefuse);
}

TEST(SwitchPlan, DoesNothingWhereThatIsSoAlready) {
  EXPECT_EQ(plan_switch(order_to("blue"), kBlue, kPools).kind, Kind::kNothing);
  EXPECT_EQ(plan_switch(order_to("green", 10), kTenth, kPools).kind, Kind::kNothing);
  EXPECT_EQ(plan_switch(order_to("green", 10, 1s), kTenth, kPools).kind, Kind::kMove);
}

TEST(SwitchPlan, RefusesWhatCannotBeAndSaysWhy) {
  EXPECT_EQ(plan_switch(order_to("grene"), kBlue, kPools).message, "there is no pool of that name; the pools are blue, green, red");
  EXPECT_NE(plan_switch(order_to("app"), {"app", "app", 0}, {"app"}).message.find("upstream.pools"), std::string::npos);
  EXPECT_NE(plan_switch(order_to("red"), kTenth, kPools).message.find("green has 10 %"), std::string::npos);
  EXPECT_EQ(plan_switch(order_to("blue", 10), kBlue, kPools).kind, Kind::kRefuse);
}

TEST(SharesLine, SaysTheSameBack) {
  EXPECT_EQ(shares_of_line(to_line(kTenth)), kTenth);
  EXPECT_EQ(shares_of_line(to_line(kBlue)), kBlue);
  for (const char* const line : {"", " ", "blue", "blue green", "blue green ", "blue green 101", "blue green -1", "blue green 1 2", " green 1", "blue  1"})
    EXPECT_FALSE(shares_of_line(line)) << line;
}

class FakeTraffic final : public Traffic {
 public:
  std::vector<std::string> pools() const override { return names; }
  TrafficShares shares() const override { return now; }
  void set(const TrafficShares& shares) override {
    now = shares;
    history.push_back(shares);
    if (on_set) on_set(shares);
  }
  PoolCounts counts(const std::string& pool) const override {
    const auto at = counted.find(pool);
    return at == counted.end() ? PoolCounts{} : at->second;
  }
  boost::asio::awaitable<std::string> check(std::string pool) override {
    ++checks;
    if (on_check) on_check();
    co_return pool == ill ? "it does not accept connections" : "";
  }
  bool is_well(const std::string& pool) const override { return pool != failing; }

  std::vector<std::string> names = kPools;
  TrafficShares now = kBlue;
  std::vector<TrafficShares> history;
  std::map<std::string, PoolCounts> counted;
  std::string ill;      // at the first check
  std::string failing;  // later
  int checks = 0;
  std::function<void()> on_check;
  std::function<void(const TrafficShares&)> on_set;
};

// What the pool does once it has traffic: so many requests, of which so many fail, in that bucket.
PoolCounts counts(std::uint64_t requests, std::uint64_t failures, std::size_t bucket = 0) {
  PoolCounts made{requests, failures, 0, 0, {}};
  made.durations[bucket] = requests;
  return made;
}

class SwitchOverTest : public testing::Test {
 protected:
  SwitchOver::Done keep() {
    return [this](const SwitchReport& report) { reports.push_back(report); };
  }
  // Until it is over.
  const SwitchReport& run(const SwitchOrder& order) {
    over.order(order, keep());
    io.restart();
    io.run();
    return reports.back();
  }
  void when_green_has_traffic(std::function<void()> then) {
    traffic.on_set = [this, then = std::move(then)](const TrafficShares& shares) {
      if (shares.target == "green" && shares.percent != 0) boost::asio::post(io, then);
    };
  }

  boost::asio::io_context io;
  net::TaskGroup tasks{io, [](const std::string& what) { FAIL() << what; }};
  FakeTraffic traffic;
  std::string problem;
  std::shared_ptr<LogSink> sink =
      std::make_shared<LogSink>(std::make_shared<LogQueue>(), LogFormat::kJson, std::shared_ptr<const Redactor>(Redactor::make({}, problem)));
  std::shared_ptr<Logger> log = std::make_shared<Logger>("switch", sink);
  std::vector<TrafficShares> told;
  SwitchOver over{io, tasks, traffic, log, [this](const TrafficShares& shares) { told.push_back(shares); }, {5ms, 60ms, 50ms}};
  std::vector<SwitchReport> reports;
};

TEST_F(SwitchOverTest, MovesEverythingToAPoolThatIsWell) {
  const SwitchReport& report = run(order_to("green"));
  EXPECT_EQ(report.result, SwitchResult::kMoved);
  EXPECT_EQ(report.message, "green has all the traffic");
  EXPECT_EQ(traffic.now, (TrafficShares{"green", "green", 0}));
  EXPECT_EQ(traffic.checks, 1);
  EXPECT_EQ(told.back(), traffic.now);
}

TEST_F(SwitchOverTest, WaitsUntilThePoolThatHadTheTrafficHasAnswered) {
  traffic.counted["blue"].active = 3;
  over.order(order_to("green"), keep());
  boost::asio::steady_timer later(io, 15ms);
  later.async_wait([this](const boost::system::error_code&) {
    EXPECT_TRUE(reports.empty());
    EXPECT_EQ(over.state().running->step, "settling");
    traffic.counted["blue"].active = 0;
  });
  io.run();
  EXPECT_EQ(reports.back().result, SwitchResult::kMoved);
  EXPECT_TRUE(reports.back().notes.empty());
}

TEST_F(SwitchOverTest, SaysWhatThePoolThatHadTheTrafficIsLeftWith) {
  traffic.counted["blue"].active = 3;
  ASSERT_EQ(run(order_to("green")).notes.size(), 1U);
  EXPECT_EQ(reports.back().notes[0], "blue is still answering 3 requests that it got before; they break off if it is stopped now");
}

TEST_F(SwitchOverTest, DoesNotGoBackWhenItIsAllButOver) {
  traffic.counted["blue"].active = 3;
  over.order(order_to("green"), keep());
  boost::asio::steady_timer later(io, 15ms);
  later.async_wait([this](const boost::system::error_code&) {
    SwitchOrder abort;
    abort.abort = true;
    over.order(abort, keep());
    over.keep_to({"green", "red"}, "red");
    over.stop();
  });
  io.run();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].result, SwitchResult::kRefused);
  EXPECT_EQ(reports[1].result, SwitchResult::kMoved);
  EXPECT_EQ(traffic.now, (TrafficShares{"green", "green", 0}));
}

TEST_F(SwitchOverTest, MovesNothingToAPoolThatIsNotWell) {
  traffic.ill = "green";
  const SwitchReport& report = run(order_to("green"));
  EXPECT_EQ(report.result, SwitchResult::kRefused);
  EXPECT_EQ(report.message, "green is not well, nothing has moved: it does not accept connections");
  EXPECT_EQ(over.state().last->result, SwitchResult::kRefused);
  EXPECT_EQ(run(order_to("grene")).result, SwitchResult::kRefused);
  EXPECT_NE(over.state().last->message.find("is not well"), std::string::npos);
  EXPECT_TRUE(traffic.history.empty());
}

TEST_F(SwitchOverTest, LeavesAPartWhereItWasPut) {
  EXPECT_EQ(run(order_to("green", 10)).message, "green has 10 % of the traffic");
  EXPECT_EQ(reports.back().result, SwitchResult::kSplit);
  EXPECT_EQ(traffic.now, kTenth);
  EXPECT_EQ(run(order_to("green")).result, SwitchResult::kMoved);
  EXPECT_EQ(traffic.now, (TrafficShares{"green", "green", 0}));
}

TEST_F(SwitchOverTest, KeepsAPoolThatDidWellWhileItWasWatched) {
  when_green_has_traffic([this] { traffic.counted["green"] = counts(100, 0); });
  SwitchOrder order = order_to("green", 10, 30ms);
  order.max_error_ratio = 0.01;
  order.max_p95 = 300ms;
  const SwitchReport& report = run(order);
  EXPECT_EQ(report.result, SwitchResult::kSplit);
  EXPECT_EQ(report.message, "green has 10 % of the traffic; it was watched for 30ms");
  ASSERT_EQ(report.watched.size(), 2U);
  EXPECT_EQ(report.watched[1].pool, "green");
  EXPECT_EQ(report.watched[1].requests, 100U);
  EXPECT_TRUE(report.notes.empty());
  EXPECT_GE(report.duration, 30ms);
}

TEST_F(SwitchOverTest, TakesTheTrafficBackFromAPoolThatFails) {
  when_green_has_traffic([this] {
    traffic.counted["green"] = counts(100, 10);
    traffic.counted["blue"] = counts(900, 0);
  });
  SwitchOrder order = order_to("green", 10, 10s);
  order.max_error_ratio = 0.01;
  const SwitchReport& report = run(order);
  EXPECT_EQ(report.result, SwitchResult::kRolledBack);
  EXPECT_EQ(report.message, "the traffic is back on blue: green did worse than it may: 10 of 100 requests failed (10 %), at most 1 % may");
  EXPECT_EQ(traffic.now, kBlue);
  EXPECT_EQ(report.watched[0].requests, 900U);
  EXPECT_FALSE(report.watched[0].before);
}

TEST_F(SwitchOverTest, TakesTheTrafficBackFromAPoolThatIsSlow) {
  when_green_has_traffic([this] { traffic.counted["green"] = counts(100, 0, 8); });
  SwitchOrder order = order_to("green", 100, 10s);
  order.max_p95 = 300ms;
  EXPECT_EQ(run(order).result, SwitchResult::kRolledBack);
  EXPECT_NE(reports.back().message.find("95th percentile"), std::string::npos);
  EXPECT_EQ(traffic.now, kBlue);
}

TEST_F(SwitchOverTest, TakesTheTrafficBackFromAPoolThatAnswersNothing) {
  when_green_has_traffic([this] { traffic.counted["green"].waiting = 50; });
  SwitchOrder order = order_to("green", 100, 10s);
  order.max_p95 = 20ms;
  EXPECT_EQ(run(order).result, SwitchResult::kRolledBack);
  EXPECT_NE(reports.back().message.find("10 s or more"), std::string::npos) << reports.back().message;
}

TEST_F(SwitchOverTest, TakesTheTrafficBackFromAPoolWhoseHealthChecksFail) {
  when_green_has_traffic([this] { traffic.failing = "green"; });
  EXPECT_EQ(run(order_to("green", 100, 10s)).result, SwitchResult::kRolledBack);
  EXPECT_NE(reports.back().message.find("health checks"), std::string::npos);
}

TEST_F(SwitchOverTest, DoesNotGoBackToAPoolThatIsNotWell) {
  traffic.failing = "blue";
  when_green_has_traffic([this] { traffic.counted["green"] = counts(100, 10); });
  SwitchOrder order = order_to("green", 100, 30ms);
  order.max_error_ratio = 0.01;
  const SwitchReport& report = run(order);
  EXPECT_EQ(report.result, SwitchResult::kMoved);
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_EQ(report.notes[0],
            "green did worse than it may (10 of 100 requests failed (10 %), at most 1 % may), but blue is not well: the traffic stayed");
  EXPECT_EQ(traffic.now, (TrafficShares{"green", "green", 0}));
}

TEST_F(SwitchOverTest, ComparesASwitchOfEverythingWithWhatWasBefore) {
  traffic.counted["blue"] = counts(1000, 0);
  when_green_has_traffic([this] { traffic.counted["green"] = counts(100, 20); });
  const SwitchReport& report = run(order_to("green", 100, 10s));
  EXPECT_EQ(report.result, SwitchResult::kRolledBack);
  EXPECT_NE(report.message.find("far more than the 0 % of the other pool"), std::string::npos) << report.message;
  EXPECT_EQ(report.watched[0].requests, 1000U);
  EXPECT_TRUE(report.watched[0].before);
}

TEST_F(SwitchOverTest, SaysWhenTooFewRequestsCame) {
  when_green_has_traffic([this] { traffic.counted["green"] = counts(3, 3); });
  SwitchOrder order = order_to("green", 10, 20ms);
  order.max_error_ratio = 0.01;
  const SwitchReport& report = run(order);
  EXPECT_EQ(report.result, SwitchResult::kSplit);
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_EQ(report.notes[0], "3 requests reached green while it was watched, too few to judge it by: 20 are needed");
}

TEST_F(SwitchOverTest, RefusesASecondSwitchMeanwhileAndForgetsItAtOnce) {
  when_green_has_traffic([this] {
    EXPECT_EQ(over.state().running->step, "watching");
    over.order(order_to("red"), keep());
  });
  EXPECT_EQ(run(order_to("green", 10, 20ms)).result, SwitchResult::kSplit);
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].result, SwitchResult::kRefused);
  EXPECT_NE(reports[0].message.find("under way"), std::string::npos);
  EXPECT_EQ(over.state().last->result, SwitchResult::kSplit);
}

TEST_F(SwitchOverTest, AbortsWhatIsUnderWayAndTellsBoth) {
  SwitchOrder abort;
  abort.abort = true;
  when_green_has_traffic([this, abort] { over.order(abort, keep()); });
  run(order_to("green", 10, 10s));
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].result, SwitchResult::kAborted);
  EXPECT_EQ(reports[1].result, SwitchResult::kAborted);
  EXPECT_EQ(traffic.now, kBlue);
}

TEST_F(SwitchOverTest, AbortsBeforeAnythingHasMoved) {
  SwitchOrder abort;
  abort.abort = true;
  traffic.on_check = [this, abort] { over.order(abort, keep()); };
  run(order_to("green"));
  EXPECT_EQ(reports.back().result, SwitchResult::kAborted);
  EXPECT_TRUE(traffic.history.empty());
}

TEST_F(SwitchOverTest, AbortsAStandingSplitAndNothingElse) {
  SwitchOrder abort;
  abort.abort = true;
  EXPECT_EQ(run(abort).result, SwitchResult::kRefused);
  traffic.now = kTenth;
  EXPECT_EQ(run(abort).result, SwitchResult::kAborted);
  EXPECT_EQ(traffic.now, kBlue);
}

TEST_F(SwitchOverTest, IsLeftAloneByAConfigurationThatHasBothPools) {
  traffic.now = kTenth;
  over.keep_to({"green", "blue"}, "green");
  EXPECT_EQ(traffic.now, kTenth);
}

TEST_F(SwitchOverTest, TakesTheTrafficFromAPoolThatGoes) {
  traffic.now = kTenth;
  over.keep_to({"blue", "red"}, "red");
  EXPECT_EQ(traffic.now, kBlue);
  traffic.now = kTenth;
  over.keep_to({"green", "red"}, "red");
  EXPECT_EQ(traffic.now, (TrafficShares{"green", "green", 0}));
  over.keep_to({"red"}, "red");
  EXPECT_EQ(traffic.now, (TrafficShares{"red", "red", 0}));
}

TEST_F(SwitchOverTest, EndsASwitchWhosePoolGoes) {
  when_green_has_traffic([this] { over.keep_to({"blue", "red"}, "blue"); });
  const SwitchReport& report = run(order_to("green", 10, 10s));
  EXPECT_EQ(report.result, SwitchResult::kRolledBack);
  EXPECT_EQ(report.message, "the configuration no longer has the pool green: blue has all the traffic");
  EXPECT_EQ(traffic.now, kBlue);
}

TEST_F(SwitchOverTest, EndsASwitchWhoseOriginGoes) {
  when_green_has_traffic([this] { over.keep_to({"green"}, "green"); });
  EXPECT_EQ(run(order_to("green", 10, 10s)).result, SwitchResult::kAborted);
  EXPECT_EQ(traffic.now, (TrafficShares{"green", "green", 0}));
}

TEST_F(SwitchOverTest, TakesOverWhatAnotherProcessHad) {
  EXPECT_TRUE(over.restore(kTenth));
  EXPECT_EQ(traffic.now, kTenth);
  EXPECT_FALSE(over.restore({"blue", "grey", 10}));
  EXPECT_EQ(traffic.now, kTenth);
}

TEST_F(SwitchOverTest, TellsWhoeverWaitsThatTheProcessEnds) {
  when_green_has_traffic([this] { over.stop(); });
  EXPECT_EQ(run(order_to("green", 100, 10s)).message, "Gatehouse is stopping");
}

}  // namespace
}  // namespace gatehouse
