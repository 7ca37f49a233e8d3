// While two pools share the requests, a client hears which one it is to stay with, and stays.
#include "support/proxy_under_test.hpp"
#include "support/scripted_upstream.hpp"

#include <gtest/gtest.h>

namespace gatehouse::test {
namespace {

ScriptedUpstream app_called(const std::string& name) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(name.size()) + "\r\n\r\n" + name;
  return ScriptedUpstream([answer](Peer& peer) {
    while (peer.read_request()) peer.socket.send(answer);
  });
}

std::string get(const std::string& cookies) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + (cookies.empty() ? "" : "Cookie: " + cookies + "\r\n") + "\r\n";
}

class SharedTraffic : public testing::Test {
 protected:
  static ProxySettings settings(std::uint16_t green_port, unsigned percent) {
    ProxySettings settings;
    settings.green_port = green_port;
    settings.percent = percent;
    return settings;
  }
  ScriptedUpstream blue_ = app_called("blue");
  ScriptedUpstream green_ = app_called("green");
  ProxyUnderTest proxy_{blue_.port(), settings(green_.port(), 50)};
};

TEST_F(SharedTraffic, TellsEachNewClientWhereItIs) {
  for (int i = 0; i < 20; ++i) {
    const ClientResponse response = proxy_.fetch(get(""));
    EXPECT_TRUE(response.has("set-cookie: side=" + response.body + "; Path=/; HttpOnly; SameSite=Lax")) << response.head;
  }
}

TEST_F(SharedTraffic, KeepsAClientWhereItWasWithoutTellingItAgain) {
  for (int i = 0; i < 20; ++i) {
    const std::string side = i % 2 == 0 ? "blue" : "green";
    const ClientResponse response = proxy_.fetch(get("other=1; side=" + side));
    EXPECT_EQ(response.body, side);
    EXPECT_EQ(response.head.find("set-cookie"), std::string::npos);
  }
}

TEST_F(SharedTraffic, TakesAllClientsWhereEverythingGoes) {
  proxy_.shift(100);
  EXPECT_EQ(proxy_.fetch(get("side=blue")).body, "green");
  proxy_.shift(0);
  const ClientResponse response = proxy_.fetch(get("side=green"));
  EXPECT_EQ(response.body, "blue");
  EXPECT_EQ(response.head.find("set-cookie"), std::string::npos);
}

TEST_F(SharedTraffic, TellsAClientAnewWhoseCookieNamesNoPool) {
  const ClientResponse response = proxy_.fetch(get("side=../../etc"));
  EXPECT_TRUE(response.has("set-cookie: side=" + response.body + "; Path=/; HttpOnly; SameSite=Lax")) << response.head;
}

TEST_F(SharedTraffic, MovesOpenConnectionsToo) {
  Socket client = proxy_.connect();
  for (const auto& [percent, side] : {std::pair(0U, "blue"), std::pair(100U, "green"), std::pair(0U, "blue")}) {
    proxy_.shift(percent);
    client.send(get(""));
    EXPECT_EQ(read_response(client).body, side);
  }
}

}  // namespace
}  // namespace gatehouse::test
