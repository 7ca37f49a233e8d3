// What services answer, and what is made of it: pure functions, hostile bytes included.
#include "config/service_url.hpp"
#include "health/http_prober.hpp"
#include "health/mysql_protocol.hpp"
#include "health/postgres_prober.hpp"
#include "health/redis_prober.hpp"

#include <gtest/gtest.h>
#include <algorithm>

namespace gatehouse::health {
namespace {

RedisReply redis_reply(RedisReply::Kind kind, std::string text) {
  RedisReply reply;
  reply.kind = kind;
  reply.text = std::move(text);
  return reply;
}
std::string judge_error(std::string text, std::string_view wanted) {
  return judge_redis_reply(redis_reply(RedisReply::Kind::kError, std::move(text)), wanted);
}

TEST(RedisAnswer, PongIsWell) {
  EXPECT_EQ(judge_redis_reply(redis_reply(RedisReply::Kind::kText, "PONG"), "PONG"), "");
  EXPECT_NE(judge_redis_reply(redis_reply(RedisReply::Kind::kIntegers, ""), ""), "");
  EXPECT_NE(judge_error("PONG", "PONG"), "");
}

TEST(RedisAnswer, NothingOfWhatTheServerWroteIsRepeated) {
  for (const auto kind : {RedisReply::Kind::kText, RedisReply::Kind::kError}) {
    for (const char* text : {"ERR hunter2", "hunter2", "WRONGPASS hunter2", "HUNTER", ""}) {
      const std::string error = judge_redis_reply(redis_reply(kind, text), "PONG");
      EXPECT_FALSE(error.empty()) << text;
      EXPECT_EQ(error.find("hunter2"), std::string::npos) << text;
      EXPECT_EQ(error.find("HUNTER"), std::string::npos) << text;
    }
  }
}

TEST(RedisAnswer, KnownErrorsHaveTheirSentence) {
  EXPECT_EQ(judge_error("NOAUTH Authentication required.", "PONG"), "asks for a password");
  EXPECT_EQ(judge_error("LOADING Redis is loading the dataset in memory", "PONG"), "is loading its data");
  EXPECT_EQ(judge_error("ERR invalid password", "OK"), "refuses the credentials");
}

TEST(Sqlstate, IsFoundAtTheEndOfAMessageOnly) {
  EXPECT_EQ(sqlstate_in("connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01\n"), "28P01");
  EXPECT_EQ(sqlstate_in("57P03"), "57P03");
  EXPECT_EQ(sqlstate_in(""), "");
  EXPECT_EQ(sqlstate_in("password hunter2"), "");
  EXPECT_EQ(sqlstate_in("connection refused"), "");
  EXPECT_EQ(sqlstate_in("FATAL:  WRONG"), "");
}

TEST(PostgresParameters, LeaveOutWhatLibpqDoesNotKnow) {
  ServiceUrl url;
  ASSERT_EQ(parse_service_url("postgresql+asyncpg://u:p%40w@db:6000/app?sslmode=require&pgbouncer=true&service=x", url),
            "");
  const auto parameters = postgres_parameters(url);
  const auto value = [&](std::string_view name) {
    const auto found =
        std::find_if(parameters.begin(), parameters.end(), [&](const auto& one) { return one.first == name; });
    return found == parameters.end() ? std::string("absent") : found->second;
  };
  EXPECT_EQ(value("user"), "u");
  EXPECT_EQ(value("password"), "p@w");
  EXPECT_EQ(value("dbname"), "app");
  EXPECT_EQ(value("sslmode"), "require");
  EXPECT_EQ(value("pgbouncer"), "absent");
  EXPECT_EQ(value("service"), "absent");
}

TEST(HttpStatus, MustBeInOneOfTheRanges) {
  EXPECT_EQ(judge_status(204, {{200, 399}}), "");
  EXPECT_EQ(judge_status(503, {{200, 399}}), "answered 503");
  EXPECT_EQ(judge_status(200, {}), "answered 200");
}

std::string greeting(std::string_view plugin) {
  std::string bytes =
      "\x0a"
      "8.0.36";
  bytes += '\0';
  bytes += "\1\2\3\4";
  bytes += "abcdefgh";
  bytes.append(1 + 2 + 1 + 2 + 2 + 1 + 10, '\0');
  bytes += "ijklmnopqrst";
  bytes += '\0';
  bytes += plugin;
  bytes += '\0';
  return bytes;
}

TEST(MysqlGreeting, YieldsNonceAndPlugin) {
  const auto read = read_mysql_greeting(greeting("mysql_native_password"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->nonce, "abcdefghijklmnopqrst");
  EXPECT_EQ(read->plugin, "mysql_native_password");
}

TEST(MysqlGreeting, ACutOneIsNone) {
  const std::string whole = greeting("p");
  const std::size_t least = whole.size() - 2;  // without the plugin's name it is an older server's
  for (std::size_t size = 0; size < least; ++size) EXPECT_FALSE(read_mysql_greeting(whole.substr(0, size))) << size;
  EXPECT_TRUE(read_mysql_greeting(whole.substr(0, least)));
}

TEST(MysqlSwitch, TakesHostileBytes) {
  EXPECT_FALSE(read_mysql_switch(""));
  EXPECT_FALSE(read_mysql_switch("x"));
  EXPECT_EQ(read_mysql_switch("\xfe")->plugin, "");
  EXPECT_EQ(read_mysql_switch("\xfe"
                              "plugin")
                ->nonce,
            "");
}

// The values that Python's hashlib gives for password "hunter2" and the nonce above.
TEST(MysqlProof, IsWhatTheServerComputes) {
  const auto hex = [](std::string_view bytes) {
    std::string text;
    for (const unsigned char c : bytes) {
      text += "0123456789abcdef"[c >> 4];
      text += "0123456789abcdef"[c & 15];
    }
    return text;
  };
  const std::string nonce = "abcdefghijklmnopqrst";
  EXPECT_EQ(hex(*mysql_proof("mysql_native_password", "hunter2", nonce)), "fb30830c3ec1c2161c75ef8c45977d684a38d8d4");
  EXPECT_EQ(hex(*mysql_proof("caching_sha2_password", "hunter2", nonce)),
            "38c32b38723affcda57b368b565bac628d5a852428b402c25c4ae036a4fd904f");
  EXPECT_EQ(mysql_proof("mysql_native_password", "", nonce), "");
  EXPECT_FALSE(mysql_proof("auth_ed25519", "hunter2", nonce));
}

TEST(MysqlError, ARefusedLoginIsBadOnlyWherePasswordsWereProven) {
  EXPECT_EQ(mysql_error("\xff\x15\x04#28000Access denied for user 'app'"), 1045);
  EXPECT_NE(explain_mysql_error(1045, true), "");
  EXPECT_EQ(explain_mysql_error(1045, false), "");
  EXPECT_NE(explain_mysql_error(1040, false), "");
  EXPECT_EQ(mysql_error("\xff"), 0);
}

}  // namespace
}  // namespace gatehouse::health
