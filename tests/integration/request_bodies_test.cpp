// Request bodies on their way to the app: answered early, broken off, malformed, or lost with the connection.
#include "support/proxy_under_test.hpp"
#include "support/scripted_upstream.hpp"

#include <gtest/gtest.h>
#include <thread>

namespace gatehouse::test {
namespace {

const std::string kFine = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
constexpr std::string_view kChunkedPost = "POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string with_length(std::size_t size) {
  return "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
}

void serve_well(Peer& peer) {
  while (peer.read_request()) peer.socket.send(kFine);
}

TEST(RequestBody, AnAnswerBeforeTheEndOfTheBodyReachesTheClient) {
  ScriptedUpstream app([](Peer& peer) {
    peer.socket.read_until("\r\n\r\n");
    peer.socket.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig");
    peer.record_end();
  });
  ProxyUnderTest proxy(app.port());
  Socket client = proxy.connect();
  client.send(with_length(1000000));
  client.send(std::string(1000, 'x'));
  const ClientResponse response = read_response(client);
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.body, "big");
  EXPECT_TRUE(response.has("connection: close")) << "what follows is still that body";
  EXPECT_EQ(proxy.ended(0).reason, "via_upstream");
}

TEST(RequestBody, AnEarlyAnswerIsNotHeldUpByAClientThatSendsOnSlowly) {
  ScriptedUpstream app([](Peer& peer) {
    peer.socket.read_until("\r\n\r\n");
    peer.socket.send(kFine);
    peer.socket.read_all();
  });
  ProxyUnderTest proxy(app.port());
  Socket client = proxy.connect();
  client.send(kChunkedPost);
  client.send("5\r\nhe");
  EXPECT_EQ(read_response(client).body, "fine");
  // The record is written although the client neither sends nor leaves.
  EXPECT_EQ(proxy.ended(0).status, 200);
}

TEST(RequestBody, BothDirectionsMoveAtTheSameTime) {
  ScriptedUpstream app([](Peer& peer) {
    peer.socket.read_until("\r\n\r\n");
    peer.socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 3; ++i) {
      if (!peer.socket.read_until("ping\r\n")) return;
      peer.socket.send("4\r\npong\r\n");
    }
    peer.socket.read_until("0\r\n\r\n");
    peer.socket.send("0\r\n\r\n");
    peer.socket.read_all();
  });
  ProxyUnderTest proxy(app.port());
  Socket client = proxy.connect();
  client.send(kChunkedPost);
  client.send("4\r\nping\r\n");
  ASSERT_TRUE(client.read_until("\r\n\r\n"));
  EXPECT_TRUE(client.read_until("pong\r\n"));
  client.send("4\r\nping\r\n");
  EXPECT_TRUE(client.read_until("pong\r\n"));
  client.send("4\r\nping\r\n0\r\n\r\n");
  EXPECT_TRUE(client.read_until("pong\r\n"));
  EXPECT_TRUE(client.read_until("0\r\n\r\n"));
}

TEST(RequestBody, AMalformedChunkIsTheClientsFaultAndTheAppGetsNoWholeRequest) {
  ScriptedUpstream app(
      {[](Peer& peer) { peer.record(peer.read_request() ? "a whole request" : "no whole request"); }, serve_well});
  ProxyUnderTest proxy(app.port());
  Socket client = proxy.connect();
  client.send(kChunkedPost);
  client.send("5\r\nhello\r\n5x\r\nworld\r\n0\r\n\r\n");
  EXPECT_EQ(read_response(client).status, 400);
  const Ended ended = proxy.ended(0);
  EXPECT_EQ(ended.reason, "malformed_chunk");
  EXPECT_EQ(ended.flag, "DPE");
  EXPECT_TRUE(app.waits_to_see("no whole request"));
}

TEST(RequestBody, AMalformedChunkBehindTheHeadOfTheAnswerIsStillTheClientsFault) {
  ScriptedUpstream app([](Peer& peer) {
    peer.socket.read_until("\r\n\r\n");
    peer.socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n");
    peer.record_end();
  });
  ProxyUnderTest proxy(app.port());
  Socket client = proxy.connect();
  client.send(kChunkedPost);
  ASSERT_TRUE(client.read_until("some\r\n"));
  client.send("rubbish\r\n");
  client.read_all();
  EXPECT_NE(client.end(), Socket::End::kTimeout);
  const Ended ended = proxy.ended(0);
  EXPECT_EQ(ended.reason, "malformed_chunk");
  EXPECT_EQ(ended.flag, "DPE");
  std::vector<std::string> counted;
  proxy.metrics().rejected.for_each([&](std::string_view reason, std::uint64_t) { counted.emplace_back(reason); });
  EXPECT_EQ(counted, std::vector<std::string>{"malformed_chunk"});
}

TEST(RequestBody, AClientThatLeavesInTheMiddleLeavesNoWholeRequestBehind) {
  for (const bool hard : {false, true}) {
    SCOPED_TRACE(hard ? "with a reset" : "in order");
    ScriptedUpstream app([](Peer& peer) { peer.record(peer.read_request() ? "a whole request" : "no whole request"); });
    ProxyUnderTest proxy(app.port());
    {
      Socket client = proxy.connect();
      client.send(with_length(100000));
      client.send("hello");
      if (hard)
        client.reset();
      else
        client.half_close();
      client.read_all();
    }
    EXPECT_TRUE(app.waits_to_see("no whole request"));
    EXPECT_EQ(proxy.ended(0).flag, "DC");
  }
}

TEST(RequestBody, ASmallBodyIsHereAsAWholeBeforeTheAppIsAsked) {
  ProxySettings settings;
  settings.cluster.max_connections = 1;
  settings.cluster.connect_timeout = std::chrono::milliseconds(200);
  ScriptedUpstream app(serve_well);
  ProxyUnderTest proxy(app.port(), settings);
  Socket slow = proxy.connect();
  slow.send(with_length(10));
  slow.send("hello");
  EXPECT_EQ(proxy.fetch("GET /other HTTP/1.1\r\nHost: a\r\n\r\n").status, 200) << "the one connection is free";
  slow.send("world");
  EXPECT_EQ(read_response(slow).body, "fine");
  EXPECT_EQ(app.seen(), (std::vector<std::string>{"GET /other", "POST /up helloworld"}));
}

TEST(RequestBody, ASmallBodyThatBreaksOffNeverReachesTheApp) {
  ScriptedUpstream app(serve_well);
  ProxyUnderTest proxy(app.port());
  Socket client = proxy.connect();
  client.send(with_length(10));
  client.send("hello");
  client.half_close();
  EXPECT_EQ(read_response(client).status, 400);
  EXPECT_EQ(proxy.ended(0).reason, "request_body_incomplete");
  EXPECT_EQ(app.connections(), 0u);
}

TEST(RequestBody, UploadsLeaveConnectionsForEveryoneElse) {
  ProxySettings settings;
  settings.cluster.max_connections = 4;
  settings.cluster.connect_timeout = std::chrono::milliseconds(200);
  ScriptedUpstream app(serve_well);
  ProxyUnderTest proxy(app.port(), settings);
  std::vector<Socket> uploads;
  for (int i = 0; i < 3; ++i) {
    uploads.push_back(proxy.connect());
    uploads.back().send(with_length(100000));
    uploads.back().send("slowly");
  }
  // Each upload has its connection before the next comes.
  while (app.connections() < 3) std::this_thread::yield();
  EXPECT_EQ(proxy.fetch(with_length(100000) + "one too many").status, 503);
  EXPECT_EQ(proxy.ended(0).reason, "upstream_queue_full");
  EXPECT_EQ(proxy.fetch("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  uploads.front().send(std::string(100000 - 6, 'x'));
  EXPECT_EQ(read_response(uploads.front()).status, 200);
  EXPECT_EQ(proxy.fetch(with_length(100000) + std::string(100000, 'x')).status, 200) << "its place is free again";
}

TEST(RequestBody, ABodyOverTheLimitIsRefusedHoweverItComes) {
  ProxySettings settings;
  settings.route.body_limit = 10;
  ScriptedUpstream app([](Peer& peer) { peer.record(peer.read_request() ? "a whole request" : "no whole request"); });
  ProxyUnderTest proxy(app.port(), settings);
  EXPECT_EQ(proxy.fetch(with_length(11) + std::string(11, 'x')).status, 413);
  EXPECT_EQ(app.connections(), 0u);
  EXPECT_EQ(proxy.fetch(std::string(kChunkedPost) + "b\r\nxxxxxxxxxxx\r\n0\r\n\r\n").status, 413);
  EXPECT_EQ(proxy.ended(1).reason, "body_too_large");
  EXPECT_TRUE(app.waits_to_see("no whole request"));
}

TEST(RequestBody, ARefusedBodyIsReadOverSoThatTheClientSeesTheRefusal) {
  ProxySettings settings;
  settings.route.body_limit = 10;
  ScriptedUpstream app(serve_well);
  ProxyUnderTest proxy(app.port(), settings);
  Socket client = proxy.connect();
  // More than fits into the buffers of the kernel: a client that reads only when it has sent everything.
  constexpr std::size_t kSize = 32u << 20;
  client.send(with_length(kSize));
  EXPECT_TRUE(client.send(std::string(kSize, 'x')));
  EXPECT_EQ(read_response(client).status, 413);
}

TEST(RequestBody, ContinueIsSaidOnceTheRequestIsOnItsWay) {
  ScriptedUpstream app(serve_well);
  ProxyUnderTest proxy(app.port());
  Socket client = proxy.connect();
  client.send("POST /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_EQ(read_response(client).body, "fine");
  EXPECT_TRUE(app.waits_to_see("POST /up hello"));
}

TEST(RequestBody, PartOfANextRequestDoesNotEscapeTheDeadlineOfHeads) {
  ProxySettings settings;
  settings.serving.deadlines.request_head = std::chrono::milliseconds(300);
  ScriptedUpstream app(serve_well);
  ProxyUnderTest proxy(app.port(), settings);
  Socket client = proxy.connect();
  client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HT");
  EXPECT_EQ(read_response(client).body, "fine");
  EXPECT_EQ(read_response(client).status, 408);
  EXPECT_EQ(proxy.ended(1).reason, "request_head_timeout");
}

// Replays (RFC 9110 9.2.2): an app that reads the request on a connection used before and closes it without a byte.

std::vector<ScriptedUpstream::Script> dies_on_the_second() {
  return {[](Peer& peer) {
            peer.read_request();
            peer.socket.send(kFine);
            peer.read_request();
          },
          serve_well};
}

TEST(Replay, ARequestThatMayBeRepeatedSurvivesTheDeathOfAReusedConnection) {
  for (const std::string_view method : {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}) {
    SCOPED_TRACE(method);
    ScriptedUpstream app(dies_on_the_second());
    ProxyUnderTest proxy(app.port());
    Socket client = proxy.connect();
    client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
    read_response(client);
    const bool body = method == "PUT";
    client.send(std::string(method) + " /again HTTP/1.1\r\nHost: a\r\n" +
                (body ? "Content-Length: 4\r\n\r\nbody" : "\r\n"));
    EXPECT_EQ(read_response(client, method == "HEAD").status, 200);
    EXPECT_TRUE(proxy.ended(1).replayed);
    const std::string seen = std::string(method) + " /again" + (body ? " body" : "");
    EXPECT_EQ(app.seen(), (std::vector<std::string>{"GET /first", seen, seen}));
  }
}

TEST(Replay, ASmallBodyThatComesBehindItsHeadCanBeSentAgain) {
  ScriptedUpstream app(dies_on_the_second());
  ProxyUnderTest proxy(app.port());
  Socket client = proxy.connect();
  client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
  read_response(client);
  client.send("PUT /again HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
  EXPECT_TRUE(client.send("dy"));
  EXPECT_EQ(read_response(client).status, 200);
  EXPECT_EQ(app.seen(), (std::vector<std::string>{"GET /first", "PUT /again body", "PUT /again body"}));
}

TEST(Replay, ARequestThatMayHaveBeenExecutedIsNotRepeated) {
  for (const std::string_view method : {"POST", "PATCH", "FROBNICATE"}) {
    SCOPED_TRACE(method);
    ScriptedUpstream app(dies_on_the_second());
    ProxySettings settings;
    settings.cluster.surely_open = std::chrono::hours(1);
    ProxyUnderTest proxy(app.port(), settings);
    Socket client = proxy.connect();
    client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
    read_response(client);
    client.send(std::string(method) + " /once HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    EXPECT_EQ(read_response(client).status, 502);
    EXPECT_EQ(app.seen(), (std::vector<std::string>{"GET /first", std::string(method) + " /once body"}));
  }
}

TEST(Replay, ARequestThatCannotBeRepeatedTakesNoConnectionThatTheAppMayBeClosing) {
  for (const std::string_view method : {"POST", "PATCH", "FROBNICATE", "GET"}) {
    SCOPED_TRACE(method);
    ProxySettings settings;
    settings.cluster.surely_open = std::chrono::milliseconds(-1);
    ScriptedUpstream app(serve_well);
    ProxyUnderTest proxy(app.port(), settings);
    Socket client = proxy.connect();
    client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
    read_response(client);
    client.send(std::string(method) + " /next HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    EXPECT_EQ(read_response(client).status, 200);
    EXPECT_EQ(app.connections(), method == "GET" ? 1u : 2u);
  }
}

TEST(Replay, NothingIsRepeatedOnceAByteOfTheAnswerCame) {
  ScriptedUpstream app({[](Peer& peer) {
                          peer.read_request();
                          peer.socket.send(kFine);
                          peer.read_request();
                          peer.socket.send("H");
                        },
                        serve_well});
  ProxyUnderTest proxy(app.port());
  Socket client = proxy.connect();
  client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
  read_response(client);
  client.send("GET /once HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(read_response(client).status, 502);
  EXPECT_EQ(app.connections(), 1u);
}

TEST(Replay, AStreamedBodyIsNotRepeated) {
  ScriptedUpstream app(dies_on_the_second());
  ProxySettings settings;
  settings.cluster.surely_open = std::chrono::hours(1);
  ProxyUnderTest proxy(app.port(), settings);
  Socket client = proxy.connect();
  client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
  read_response(client);
  client.send("PUT /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n");
  EXPECT_EQ(read_response(client).status, 502);
  EXPECT_EQ(app.connections(), 1u);
}

TEST(Replay, ADeadConnectionIsNoticedBeforeAnythingIsSent) {
  ScriptedUpstream app({[](Peer& peer) {
                          peer.read_request();
                          peer.socket.send(kFine);
                          peer.socket.close();
                          peer.record("closed");
                        },
                        serve_well});
  ProxyUnderTest proxy(app.port());
  Socket client = proxy.connect();
  client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
  read_response(client);
  ASSERT_TRUE(app.waits_to_see("closed"));
  client.send("POST /once HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(read_response(client).body, "fine");
  EXPECT_FALSE(proxy.ended(1).replayed);
}

}  // namespace
}  // namespace gatehouse::test
