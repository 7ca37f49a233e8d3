// A server that answers whatever it likes where Redis should be: the connection is dropped at once and little is kept, the policy's on_error
// answers, and the health check says what is wrong.
#include "health/redis_prober.hpp"
#include "support/rate_replica.hpp"
#include "support/scripted_upstream.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fstream>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;
using test::Peer;
using test::ScriptedUpstream;

constexpr std::size_t kMuch = std::size_t{256} << 20;
// What two sockets hold, and then some.
constexpr std::size_t kLittle = std::size_t{64} << 20;

// The most address space that this process has had, in bytes: counts also what was asked for and never touched.
std::size_t most_memory() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word)
    if (word == "VmPeak:") break;
  std::size_t kilobytes = 0;
  status >> kilobytes;
  EXPECT_NE(kilobytes, 0U);
  return kilobytes * 1024;
}

// How hostile answers begin; more bytes follow until nobody takes them.
struct Hostile {
  const char* name;
  std::string begin;
  std::string then;
};

std::vector<Hostile> hostile_answers() {
  return {{"a list of two thousand million", "*2147483647\r\n", ":1\r\n"},
          {"a text of two gigabytes", "$2147483647\r\n", "x"},
          {"a text of all memory", "$9223372036854775807\r\n", "x"},
          {"a line without an end", "+", "x"},
          {"an error without an end", "-", "x"},
          {"a number without an end", ":", "1"},
          {"a length without an end", "*", "1"},
          {"lists in lists", "", "*1\r\n"},
          {"a map", "%1\r\n", "+a\r\n"},
          {"another protocol", "HTTP/1.1 200 OK\r\n", "x"}};
}

// Sends until the peer takes no more, and records what has come of it.
void overwhelm(Peer& peer, const Hostile& answer) {
  std::string piece;
  while (piece.size() < 65536) piece += answer.then;
  std::size_t sent = 0;
  bool taken = peer.socket.send(answer.begin);
  while (taken && sent < kMuch) {
    taken = peer.socket.send(piece);
    sent += piece.size();
  }
  peer.record(sent < kLittle ? "dropped" : "took " + std::to_string(sent));
}

RateStore store_at(const ScriptedUpstream& server, RateStore::OnError on_error) {
  RateStore store;
  store.address = parse_redis_url("redis://127.0.0.1:" + std::to_string(server.port())).value();
  store.timeout = 20s;  // so that it is not the deadline that answers
  store.on_error = on_error;
  return store;
}

// Lets the script be loaded, and answers the first question with that; nobody is there for later connections.
std::vector<ScriptedUpstream::Script> after_the_greeting(Hostile answer) {
  const auto first = [answer](Peer& peer) {
    if (!peer.socket.read_until("return answer\n\r\n")) return;
    peer.socket.send("$40\r\n0123456789012345678901234567890123456789\r\n");
    if (!peer.socket.read_until("EVALSHA")) return;
    overwhelm(peer, answer);
  };
  return {first, [](Peer&) {}};
}

TEST(HostileRedis, InsteadOfAGreetingIsNotBelieved) {
  const auto before = most_memory();
  for (const Hostile& answer : hostile_answers()) {
    const auto first = [answer](Peer& peer) { overwhelm(peer, answer); };
    ScriptedUpstream server({first, [](Peer&) {}});
    boost::asio::io_context io{1};
    test::Replica one(io, {test::policy("shared", 10)}, store_at(server, RateStore::OnError::kDeny));
    EXPECT_EQ(one.send().status, 503) << answer.name;
    ASSERT_EQ(one.events.size(), 1U) << answer.name;
    EXPECT_NE(one.events[0].find("another protocol"), std::string::npos) << one.events[0];
    EXPECT_TRUE(server.waits_to_see("dropped")) << answer.name << ": " << server.seen().front();
  }
  EXPECT_LT(most_memory() - before, std::size_t{1} << 30);
}

TEST(HostileRedis, InsteadOfADecisionIsNotBelieved) {
  const auto before = most_memory();
  for (const Hostile& answer : hostile_answers()) {
    ScriptedUpstream server(after_the_greeting(answer));
    boost::asio::io_context io{1};
    test::Replica one(io, {test::policy("shared", 10)}, store_at(server, RateStore::OnError::kLocal));
    EXPECT_EQ(one.send().status, 200) << answer.name;
    EXPECT_EQ(one.failures(), 1U) << answer.name;
    one.until([&] { return !one.events.empty(); });
    EXPECT_NE(one.events[0].find("another protocol"), std::string::npos) << one.events[0];
    EXPECT_TRUE(server.waits_to_see("dropped")) << answer.name << ": " << server.seen().front();
  }
  EXPECT_LT(most_memory() - before, std::size_t{1} << 30);
}

TEST(HostileRedis, AnAnswerThatNobodyAskedForEndsTheConnection) {
  const auto first = [](Peer& peer) {
    if (!peer.socket.read_until("return answer\n\r\n")) return;
    peer.socket.send("$40\r\n0123456789012345678901234567890123456789\r\n");
    if (!peer.socket.read_until("EVALSHA")) return;
    peer.socket.send("*2\r\n:0\r\n:0\r\n*2\r\n:0\r\n:0\r\n");
    peer.record_end();
  };
  ScriptedUpstream server({first, [](Peer&) {}});
  boost::asio::io_context io{1};
  test::Replica one(io, {test::policy("shared", 10)}, store_at(server, RateStore::OnError::kLocal));
  EXPECT_EQ(one.send().status, 200);
  EXPECT_EQ(one.failures(), 0U);
  one.until([&] { return !one.events.empty(); });
  EXPECT_NE(one.events[0].find("answers what nobody asked"), std::string::npos) << one.events[0];
}

TEST(HostileRedis, ItsErrorsAreNotRepeated) {
  const auto first = [](Peer& peer) {
    peer.socket.read_until("return answer\n\r\n");
    peer.socket.send("-" + std::string(200, 'x') + " hunter2\r\n");
  };
  ScriptedUpstream server({first, [](Peer&) {}});
  boost::asio::io_context io{1};
  test::Replica one(io, {test::policy("shared", 10)}, store_at(server, RateStore::OnError::kLocal));
  EXPECT_EQ(one.send().status, 200);
  ASSERT_EQ(one.events.size(), 1U);
  EXPECT_TRUE(one.events[0].ends_with("refuses us: an error")) << one.events[0];
}

std::string probe(const ScriptedUpstream& server) {
  boost::asio::io_context io{1};
  net::TimerWheel wheel(io);
  health::RedisProber prober(io, wheel, {"127.0.0.1", server.port(), {}}, {}, {});
  std::string said = "nothing";
  const auto ended = [&](const std::exception_ptr& failure, std::string text) {
    if (!failure) said = std::move(text);
  };
  boost::asio::co_spawn(io, prober.probe(net::Clock::now() + 20s), ended);
  io.run();
  return said;
}

TEST(HostileRedis, IsUnhealthy) {
  const auto before = most_memory();
  for (const Hostile& answer : hostile_answers()) {
    const auto script = [answer](Peer& peer) {
      if (peer.socket.read_until("PING\r\n")) overwhelm(peer, answer);
    };
    ScriptedUpstream server(script);
    EXPECT_EQ(probe(server), "answered in another protocol") << answer.name;
    EXPECT_TRUE(server.waits_to_see("dropped")) << answer.name << ": " << server.seen().front();
  }
  EXPECT_LT(most_memory() - before, std::size_t{1} << 30);
}

TEST(HostileRedis, APongInPiecesIsAPong) {
  const auto script = [](Peer& peer) {
    if (!peer.socket.read_until("PING\r\n")) return;
    for (const char byte : std::string("$4\r\nPONG\r\n")) peer.socket.send({&byte, 1});
    peer.record_end();
  };
  ScriptedUpstream server(script);
  EXPECT_EQ(probe(server), "");
}

}  // namespace
}  // namespace gatehouse
