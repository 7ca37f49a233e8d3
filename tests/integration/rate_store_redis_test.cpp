// Rate limits in a real Redis: replicas together, and Redis in trouble.
#include "support/certificate.hpp"
#include "support/rate_replica.hpp"
#include "support/redis_server.hpp"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;
using test::Answer;
using test::policy;
using test::RedisServer;
using test::Replica;

class RateRedis : public ::testing::Test {
 protected:
  RateStore store(RateStore::OnError on_error = RateStore::OnError::kLocal) const {
    RateStore store;
    store.address = parse_redis_url(redis_.url()).value();
    store.timeout = 5s;  // a busy machine is no failure
    store.on_error = on_error;
    return store;
  }
  std::unique_ptr<Replica> replica(std::vector<RatePolicy> policies) {
    return std::make_unique<Replica>(io_, std::move(policies), store());
  }
  std::string calls() const {
    const auto stats = redis_.command({"INFO", "commandstats"});
    const auto at = stats.find("cmdstat_evalsha:calls=");
    return at == std::string::npos ? "none" : stats.substr(at, stats.find(',', at) - at);
  }

  RedisServer redis_;
  boost::asio::io_context io_{1};
};

TEST_F(RateRedis, ReplicasShareOneQuota) {
  const auto one = replica({policy("shared", 10)});
  const auto other = replica({policy("shared", 10)});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(one->send().status, 200);
    EXPECT_EQ(other->send().rate_limit, "\"shared\";r=" + std::to_string(8 - 2 * i) + ";t=360");
  }
  EXPECT_EQ(one->send().status, 429);
  EXPECT_EQ(other->send().status, 429);
  EXPECT_EQ(one->failures() + other->failures(), 0U);
}

TEST_F(RateRedis, RequestsAtTheSameTimeGetExactlyTheQuota) {
  const auto one = replica({policy("shared", 50)});
  const auto other = replica({policy("shared", 50)});
  std::vector<Answer> answers;
  for (int i = 0; i < 200; ++i) (i % 2 == 0 ? one : other)->start(answers);
  one->until([&] { return answers.size() == 200; });
  EXPECT_EQ(std::count_if(answers.begin(), answers.end(), [](const Answer& answer) { return answer.status == 200; }),
            50);
  EXPECT_EQ(one->app.requests + other->app.requests, 50);
}

TEST_F(RateRedis, ARefusalSaysWhenToComeBackAndWhy) {
  const auto one = replica({policy("shared", 1)});
  const auto other = replica({policy("shared", 1)});
  one->send();
  const auto refused = other->send();
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.reason, "rate_limited");
  EXPECT_EQ(refused.retry_after, "3600");
  EXPECT_EQ(refused.rate_limit, "\"shared\";r=0;t=3600");
}

TEST_F(RateRedis, ARefusedRequestTakesNothingFromOtherPolicies) {
  const auto one = replica({policy("wide", 10), policy("narrow", 2)});
  const auto other = replica({policy("wide", 10), policy("narrow", 2)});
  one->send();
  one->send();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(other->send().rate_limit, "\"wide\";r=8;t=360,\"narrow\";r=0;t=1800");
}

TEST_F(RateRedis, QuotaComesBackWithRedissClock) {
  const auto one = replica({policy("fast", 1, 50ms)});
  EXPECT_EQ(one->send().status, 200);
  one->until([&] { return one->send().status == 200; });
}

TEST_F(RateRedis, ShadowPoliciesWatchAllReplicasAndRefuseNobody) {
  auto shadow = policy("shadow", 1);
  shadow.shadow = true;
  const auto one = replica({policy("real", 5), shadow});
  const auto other = replica({policy("real", 5), shadow});
  EXPECT_EQ(one->send().status, 200);
  EXPECT_EQ(other->send().status, 200);
  std::uint64_t noticed = 0;
  other->tables.for_each(
      [&](const std::string&, const RateTable& table) { noticed += table.counters().shadow_limited; });
  EXPECT_EQ(noticed, 1U);
}

TEST_F(RateRedis, AFloodThatIsRefusedAnywayDoesNotReachRedis) {
  const auto one = replica({policy("shared", 3)});
  const auto other = replica({policy("shared", 3)});
  for (int i = 0; i < 3; ++i) one->send();
  // The first refusal comes from Redis, and is remembered.
  EXPECT_EQ(other->send().status, 429);
  const auto before = calls();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(one->send().status, 429);
    EXPECT_EQ(other->send().status, 429);
  }
  EXPECT_EQ(calls(), before);
}

TEST_F(RateRedis, RedisHoldsNoSecretsAndForgets) {
  auto by_key = policy("daily", 5);
  by_key.key.parts = {{RateKeyPart::Kind::kHeader, "X-Api-Key"}};
  const auto one = replica({by_key});
  one->send("192.0.2.1", "sk-very-secret");
  const auto keys = redis_.command({"KEYS", "*"});
  EXPECT_EQ(keys.find("secret"), std::string::npos);
  const auto at = keys.find("gatehouse:daily:");
  ASSERT_NE(at, std::string::npos) << keys;
  const auto key = keys.substr(at, keys.find('\r', at) - at);
  EXPECT_EQ(key.size(), std::string("gatehouse:daily:").size() + 32);
  const auto left = std::stol(redis_.command({"PTTL", key}).substr(1));
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 720000);
}

TEST_F(RateRedis, WithoutRedisEachReplicaCountsForItself) {
  redis_.kill();
  const auto one = replica({policy("shared", 3)});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(one->send().status, 200);
  EXPECT_EQ(one->send().status, 429);
  EXPECT_EQ(one->failures(), 3U);
  ASSERT_EQ(one->events.size(), 1U);
  EXPECT_NE(one->events[0].find("cannot be reached"), std::string::npos) << one->events[0];
}

TEST_F(RateRedis, WithoutRedisAllMayPass) {
  const auto one = std::make_unique<Replica>(io_, std::vector{policy("shared", 3)}, store(RateStore::OnError::kAllow));
  redis_.kill();
  for (int i = 0; i < 9; ++i) EXPECT_EQ(one->send().status, 200);
}

TEST_F(RateRedis, WithoutRedisNobodyMayPass) {
  const auto one = std::make_unique<Replica>(io_, std::vector{policy("shared", 3)}, store(RateStore::OnError::kDeny));
  redis_.kill();
  for (int i = 0; i < 9; ++i) {
    const auto denied = one->send();
    EXPECT_EQ(denied.status, 503);
    EXPECT_EQ(denied.reason, "rate_limit_store_unavailable");
    EXPECT_EQ(denied.retry_after, "1");
  }
}

TEST_F(RateRedis, ARedisThatHangsHoldsNobodyUp) {
  auto impatient = store();
  impatient.timeout = 20ms;
  Replica one(io_, {policy("shared", 1000)}, impatient);
  redis_.freeze();
  EXPECT_EQ(one.send().status, 200);
  EXPECT_GE(one.failures(), 1U);
  redis_.thaw();
}

TEST_F(RateRedis, ARedisThatFreezesLaterIsGivenUpAndFoundAgain) {
  auto impatient = store();
  impatient.timeout = 20ms;
  Replica one(io_, {policy("shared", 1000000)}, impatient);
  one.until([&] { return one.send().status == 200 && one.app.requests > 10; });
  redis_.freeze();
  one.until([&] { return one.send().status == 200 && !one.events.empty(); });
  redis_.thaw();
  one.until([&] { return one.send().status == 200 && one.events.size() == 2; });
  EXPECT_NE(one.events[1].find("is back"), std::string::npos);
}

TEST_F(RateRedis, ARestartedRedisIsFoundAgain) {
  const auto one = replica({policy("shared", 1000000)});
  one->send();
  redis_.kill();
  one->until([&] { return one->send().status == 200 && !one->events.empty(); });
  redis_.start();
  one->until([&] { return one->send().status == 200 && one->events.size() == 2; });
  const auto failures = one->failures();
  EXPECT_EQ(one->send().status, 200);
  EXPECT_EQ(one->failures(), failures);
}

TEST_F(RateRedis, AFlushedScriptIsLoadedAgain) {
  const auto one = replica({policy("shared", 1000000)});
  one->send();
  redis_.command({"SCRIPT", "FLUSH"});
  one->until([&] { return one->send().status == 200 && one->events.size() == 2; });
  EXPECT_NE(one->events[0].find("NOSCRIPT"), std::string::npos) << one->events[0];
}

TEST_F(RateRedis, ALinkMayGoWhileRequestsWait) {
  auto one = replica({policy("shared", 1000)});
  one->send();
  redis_.freeze();
  std::vector<Answer> answers;
  for (int i = 0; i < 10; ++i) one->start(answers);
  io_.restart();
  io_.run_for(10ms);
  EXPECT_TRUE(answers.empty());
  redis_.thaw();
  one->until([&] { return answers.size() == 10; });
  one->let_go();
  io_.restart();
  io_.run();  // ends: the link's coroutines do
}

TEST_F(RateRedis, TheIoContextMayGoBeforeTheLink) {
  auto io = std::make_unique<boost::asio::io_context>(1);
  Replica one(*io, {policy("shared", 1000)}, store());
  EXPECT_EQ(one.send().status, 200);
  redis_.freeze();
  std::vector<Answer> answers;
  one.start(answers);
  io->restart();
  io->run_for(10ms);
  io.reset();
  EXPECT_TRUE(answers.empty());
}

TEST(RateRedisLogin, APasswordOpensAndAWrongOneIsReportedWithoutIt) {
  RedisServer redis({"--requirepass", "correct-horse"});
  boost::asio::io_context io{1};
  RateStore store;
  store.timeout = 5s;
  store.address = parse_redis_url("unix://" + redis.socket_path() + "?db=3").value();
  store.address.password = Secret("correct-horse");
  Replica good(io, {policy("shared", 10)}, store);
  EXPECT_EQ(good.send().status, 200);
  EXPECT_EQ(good.failures(), 0U);
  store.address.password = Secret("wrong-horse");
  Replica bad(io, {policy("shared", 10)}, store);
  EXPECT_EQ(bad.send().status, 200);
  EXPECT_EQ(bad.failures(), 1U);
  ASSERT_EQ(bad.events.size(), 1U);
  EXPECT_NE(bad.events[0].find("refuses us: WRONGPASS"), std::string::npos) << bad.events[0];
  EXPECT_EQ(bad.events[0].find("horse"), std::string::npos);
}

TEST(RateRedisLogin, AUserWhoMayDoLittleMoreThanCountOpensADatabaseOfItsOwn) {
  RedisServer redis({"--user", "counter", "on", ">correct-horse", "~*", "+evalsha", "+eval", "+script|load", "+select", "+@scripting", "+@read",
                     "+@write", "+time", "--user", "default", "off"});
  boost::asio::io_context io{1};
  RateStore store;
  store.timeout = 5s;
  store.address = parse_redis_url("unix://" + redis.socket_path() + "?db=3").value();
  store.address.user = "counter";
  store.address.password = Secret("correct-horse");
  Replica one(io, {policy("shared", 2)}, store);
  Replica other(io, {policy("shared", 2)}, store);
  EXPECT_EQ(one.send().status, 200);
  EXPECT_EQ(other.send().status, 200);
  EXPECT_EQ(one.send().status, 429);
  EXPECT_EQ(one.failures() + other.failures(), 0U);
  store.address.user = "nobody";
  Replica bad(io, {policy("shared", 2)}, store);
  bad.send();
  ASSERT_EQ(bad.events.size(), 1U);
  EXPECT_NE(bad.events[0].find("refuses us: WRONGPASS"), std::string::npos) << bad.events[0];
}

class RateRedisTls : public ::testing::Test {
 protected:
  RateRedisTls() {
    test::write_self_signed(plain_.folder(), "localhost");
    test::write_self_signed(plain_.folder(), "elsewhere");
    const auto file = plain_.folder() + "/localhost";
    redis_ = std::make_unique<RedisServer>(std::vector<std::string>{
        "--tls-port", std::to_string(port_), "--tls-cert-file", file + ".crt", "--tls-key-file", file + ".key",
        "--tls-ca-cert-file", file + ".crt", "--tls-auth-clients", "no", "--bind", "127.0.0.1"});
  }
  // The answer, and what was reported.
  std::pair<std::uint64_t, std::string> try_with(const std::string& host, const std::string& certificate) {
    RateStore store;
    store.timeout = 5s;
    store.address = parse_redis_url("rediss://" + host + ":" + std::to_string(port_)).value();
    store.ca_file = plain_.folder() + "/" + certificate + ".crt";
    Replica one(io_, {policy("shared", 10)}, store);
    EXPECT_EQ(one.send().status, 200);
    return {one.failures(), one.events.empty() ? "" : one.events.front()};
  }

  RedisServer plain_;  // for its folder
  std::uint16_t port_ = test::free_port();
  std::unique_ptr<RedisServer> redis_;
  boost::asio::io_context io_{1};
};

TEST_F(RateRedisTls, AVerifiedServerIsAsked) { EXPECT_EQ(try_with("localhost", "localhost").first, 0U); }

TEST_F(RateRedisTls, AServerThatNobodyVouchesForIsNot) {
  const auto [failures, event] = try_with("localhost", "elsewhere");
  EXPECT_EQ(failures, 1U);
  EXPECT_NE(event.find("certificate verify failed"), std::string::npos) << event;
}

TEST_F(RateRedisTls, ACertificateForAnotherNameIsNotEnough) {
  const auto [failures, event] = try_with("127.0.0.1", "localhost");
  EXPECT_EQ(failures, 1U);
  EXPECT_NE(event.find("certificate verify failed"), std::string::npos) << event;
}

}  // namespace
}  // namespace gatehouse
