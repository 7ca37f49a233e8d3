#include "filters/rate_limit.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

RateTime g_now;  // the filter's clock is a plain function

struct Step {
  std::string client = "192.0.2.1";
  Method method = Method::kGet;
  std::string path = "/";
  std::string api_key = {};
  int status = 200;                         // what the application answers
  ResponseFlag flag = ResponseFlag::kNone;  // how that came about
};

struct Answer {
  int status;
  std::string retry_after;
  std::string rate_limit;
  std::string policy;
  std::string body;
  std::string reason;
  std::string note;
};

class RateLimitTest : public ::testing::Test {
 protected:
  RateLimitTest() { g_now = RateTime{1h}; }

  static RatePolicy policy(std::string name, std::uint64_t quota, RateDuration window) {
    RatePolicy policy;
    policy.name = std::move(name);
    policy.quota = quota;
    policy.window = window;
    policy.max_keys = 1000;
    return policy;
  }

  void limit(std::vector<RatePolicy> policies) {
    filter_ = std::make_unique<RateLimit>(std::move(policies), tables_, [] { return g_now; });
  }

  Answer send(const Step& step = {}) {
    Arena arena;
    Exchange exchange(arena);
    exchange.client.bytes = parse_address(step.client)->bytes;
    exchange.request().method = step.method;
    exchange.request().path = step.path;
    exchange.request_id = "id-1";
    if (!step.api_key.empty()) exchange.request().headers.add("x-api-key", step.api_key);
    auto response = filter_->on_request(exchange);
    if (!response) {
      response.emplace(arena);
      response->status = step.status;
      exchange.outcome().flag = step.flag;
      filter_->on_response(exchange, *response);
    }
    const auto field = [&](std::string_view name) { return std::string(response->headers.value(name)); };
    return {response->status,
            field("Retry-After"),
            field("RateLimit"),
            field("RateLimit-Policy"),
            std::string(response->body.ready),
            std::string(exchange.outcome().reason),
            std::string(exchange.note)};
  }
  int status(const Step& step = {}) { return send(step).status; }

  RateTables tables_;
  std::unique_ptr<RateLimit> filter_;
};

TEST_F(RateLimitTest, LetsTheQuotaThroughAndTellsWhatIsLeft) {
  limit({policy("per-client", 2, 1s)});
  const auto first = send();
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.policy, "\"per-client\";q=2;w=1");
  EXPECT_EQ(first.rate_limit, "\"per-client\";r=1;t=1");
  EXPECT_EQ(send().rate_limit, "\"per-client\";r=0;t=1");
}

TEST_F(RateLimitTest, RefusesMoreWith429AndAProblemDocument) {
  limit({policy("per-client", 1, 90s)});
  send();
  g_now += 100ms;
  const auto refused = send();
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.retry_after, "90");
  EXPECT_EQ(refused.rate_limit, "\"per-client\";r=0;t=90");
  EXPECT_EQ(refused.policy, "\"per-client\";q=1;w=90");
  EXPECT_EQ(refused.reason, "rate_limited");
  EXPECT_EQ(
      refused.body,
      "{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\",\"title\":\"Too many requests\","
      "\"status\":429,\"reason\":\"rate_limited\",\"request_id\":\"id-1\",\"violated-policies\":[\"per-client\"]}\n");
}

TEST_F(RateLimitTest, WaitingAsLongAsToldIsEnough) {
  limit({policy("per-client", 10, 1s)});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(status(), 200);
  const auto refused = send();
  EXPECT_EQ(refused.retry_after, "1");
  g_now += std::chrono::seconds(std::stoi(refused.retry_after));
  EXPECT_EQ(status(), 200);
}

TEST_F(RateLimitTest, ClientsDoNotShareTheirQuota) {
  limit({policy("per-client", 1, 1min)});
  EXPECT_EQ(status({.client = "192.0.2.1"}), 200);
  EXPECT_EQ(status({.client = "192.0.2.2"}), 200);
  EXPECT_EQ(status({.client = "2001:db8::1"}), 200);
  EXPECT_EQ(status({.client = "2001:db8::2"}), 429);
  EXPECT_EQ(status({.client = "64:ff9b::192.0.2.1"}), 429);
}

TEST_F(RateLimitTest, ARefusedRequestTakesNothingFromOtherPolicies) {
  limit({policy("wide", 5, 1min), policy("narrow", 1, 1min)});
  EXPECT_EQ(send().rate_limit, "\"wide\";r=4;t=12,\"narrow\";r=0;t=60");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(send().rate_limit, "\"wide\";r=4;t=12,\"narrow\";r=0;t=60");
}

TEST_F(RateLimitTest, NamesEveryPolicyThatWasViolated) {
  limit({policy("a", 1, 10s), policy("b", 100, 1min), policy("c", 1, 1min)});
  send();
  const auto refused = send();
  EXPECT_NE(refused.body.find("\"violated-policies\":[\"a\",\"c\"]"), std::string::npos) << refused.body;
  EXPECT_EQ(refused.retry_after, "60");
}

TEST_F(RateLimitTest, WhatALimitFurtherInRefusesIsNotCounted) {
  limit({policy("per-client", 1, 1min)});
  for (int i = 0; i < 5; ++i) {
    const auto answer = send({.status = 429, .flag = ResponseFlag::kRateLimited});
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.rate_limit, "\"per-client\";r=1");
  }
  EXPECT_EQ(status(), 200);
}

TEST_F(RateLimitTest, TheApplicationsOwn429Counts) {
  limit({policy("per-client", 1, 1min)});
  EXPECT_EQ(status({.status = 429}), 429);
  EXPECT_EQ(send().reason, "rate_limited");
}

TEST_F(RateLimitTest, CountsTheMethodsThatItIsFor) {
  auto writes = policy("writes", 1, 1min);
  writes.methods = {"POST", "PURGE"};
  limit({writes});
  EXPECT_EQ(send().rate_limit, "");
  EXPECT_EQ(status({.method = Method::kPost}), 200);
  EXPECT_EQ(status({.method = Method::kOther}), 429);
  EXPECT_EQ(status(), 200);
}

TEST_F(RateLimitTest, HeadIsNoWayAroundALimitOfGet) {
  auto reads = policy("reads", 1, 1min);
  reads.methods = {"GET"};
  limit({reads});
  EXPECT_EQ(status({.method = Method::kHead}), 200);
  EXPECT_EQ(status({.method = Method::kGet}), 429);
}

TEST_F(RateLimitTest, SomeClientsAndPathsAreExempt) {
  auto some = policy("some", 1, 1h);
  const Cidr monitoring[] = {parse_cidr("10.0.0.0/8").value()};
  some.exempt_addresses = CidrSet(monitoring);
  some.exempt_paths = {"/livez", "/static/*"};
  limit({some});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(status({.client = "10.1.2.3"}), 200);
    EXPECT_EQ(status({.path = "/livez"}), 200);
    EXPECT_EQ(status({.path = "/static/app.js"}), 200);
  }
  EXPECT_EQ(status(), 200);
  for (const auto* path : {"/livez/", "/livezz", "/static", "/static/../login", "/static/%2e%2e/login",
                           "/static/..\\login", "/static/..;/login"})
    EXPECT_EQ(status({.path = path}), 429) << path;
}

TEST_F(RateLimitTest, AnAddressThatOnlyCarriesAnExemptOneIsNotExempt) {
  auto some = policy("some", 1, 1h);
  const Cidr monitoring[] = {parse_cidr("10.0.0.0/8").value()};
  some.exempt_addresses = CidrSet(monitoring);
  limit({some});
  EXPECT_EQ(status({.client = "2002:a00:1::1"}), 200);
  EXPECT_EQ(status({.client = "2002:a00:1::1"}), 429);
}

TEST_F(RateLimitTest, AShadowPolicyCountsAndRefusesNothing) {
  auto shadow = policy("shadow", 1, 1min);
  shadow.shadow = true;
  limit({shadow});
  for (int i = 0; i < 4; ++i) {
    const auto answer = send();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.rate_limit, "");
    EXPECT_EQ(answer.note, i == 0 ? "" : "rate_limit_shadow");
  }
  tables_.for_each([](const std::string& name, const RateTable& table) {
    EXPECT_EQ(name, "shadow");
    EXPECT_EQ(table.counters().shadow_limited, 3U);
    EXPECT_EQ(table.counters().limited, 0U);
  });
}

TEST_F(RateLimitTest, CountsWhatItRefuses) {
  limit({policy("per-client", 1, 1min)});
  for (int i = 0; i < 4; ++i) send();
  tables_.for_each([](const std::string&, const RateTable& table) { EXPECT_EQ(table.counters().limited, 3U); });
}

TEST_F(RateLimitTest, ExpensiveRequestsTakeMore) {
  auto costly = policy("costly", 10, 1min);
  costly.cost = 4;
  limit({costly});
  EXPECT_EQ(send().rate_limit, "\"costly\";r=6;t=6");
  EXPECT_EQ(status(), 200);
  const auto refused = send();
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.rate_limit, "\"costly\";r=2;t=12");
}

TEST_F(RateLimitTest, FieldsAreAsConfigured) {
  auto quiet = policy("quiet", 5, 1min);
  quiet.fields = RateFields::kNone;
  limit({quiet, policy("loud", 9, 1min)});
  EXPECT_EQ(send().policy, "\"loud\";q=9;w=60");
}

TEST_F(RateLimitTest, WorkersShareTheCountAndAReloadKeepsIt) {
  limit({policy("per-client", 2, 1min)});
  const auto first_worker = std::move(filter_);
  EXPECT_EQ(
      [&] {
        limit({policy("per-client", 2, 1min)});
        return status();
      }(),
      200);
  EXPECT_EQ(status(), 200);
  limit({policy("per-client", 2, 1min)});
  EXPECT_EQ(status(), 429);
  limit({policy("per-client", 3, 1min)});
  EXPECT_EQ(status(), 200);
}

TEST_F(RateLimitTest, AnUnusedTableIsLetGo) {
  limit({policy("a", 2, 1min)});
  limit({policy("b", 2, 1min)});
  std::string names;
  tables_.for_each([&](const std::string& name, const RateTable&) { names += name; });
  EXPECT_EQ(names, "b");
}

// Five failures, then locked out for a minute, two, four.
class RateLimitShieldTest : public RateLimitTest {
 protected:
  RateLimitShieldTest() {
    auto shield = policy("login", 5, 1min);
    shield.count_statuses = {{401, 401}, {403, 403}};
    shield.lockout = {1min, 1h};
    limit({shield});
  }
};

TEST_F(RateLimitShieldTest, OnlyFailuresCount) {
  for (int i = 0; i < 50; ++i) EXPECT_EQ(status({.status = i % 2 == 0 ? 200 : 404}), i % 2 == 0 ? 200 : 404);
  EXPECT_EQ(send({.status = 404}).rate_limit, "\"login\";r=5");
}

TEST_F(RateLimitShieldTest, TheLastFailureLocksOutAndTheNextLockOutIsLonger) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(status({.status = 401}), 401);
  const auto locked = send();
  EXPECT_EQ(locked.status, 429);
  EXPECT_EQ(locked.reason, "locked_out");
  EXPECT_EQ(locked.retry_after, "60");
  EXPECT_NE(locked.body.find("#abnormal-usage-detected"), std::string::npos);
  g_now += 60s;
  EXPECT_EQ(status({.status = 403}), 403);
  EXPECT_EQ(send().retry_after, "120");
}

TEST_F(RateLimitShieldTest, ASuccessClears) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(status({.status = 401}), 401);
  EXPECT_EQ(send({.status = 303}).rate_limit, "\"login\";r=5");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(status({.status = 401}), 401);
  EXPECT_EQ(status(), 200);
}

TEST_F(RateLimitShieldTest, AnErrorOfTheApplicationNeitherCountsNorClears) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(status({.status = 401}), 401);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(status({.status = 500}), 500);
  EXPECT_EQ(status({.status = 401}), 401);
  EXPECT_EQ(status(), 429);
}

TEST_F(RateLimitShieldTest, GuessesSentAtTheSameTimeAreNoMoreThanTheQuota) {
  Arena arena;
  int passed = 0;
  for (int i = 0; i < 100; ++i) {
    Exchange exchange(arena);
    exchange.client.bytes = parse_address("192.0.2.1")->bytes;
    if (!filter_->on_request(exchange)) ++passed;  // none of them is answered yet
  }
  EXPECT_EQ(passed, 5);
}

TEST_F(RateLimitShieldTest, OtherClientsAreNotLockedOut) {
  for (int i = 0; i < 6; ++i) send({.status = 401});
  EXPECT_EQ(status({.client = "192.0.2.2"}), 200);
}

}  // namespace
}  // namespace gatehouse
