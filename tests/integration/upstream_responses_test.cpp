// The app's bytes are judged too. For each answer an app can give, the client gets a correct answer or an unmistakably
// broken one, never a short message that looks whole; and a connection to the app is used again only when its state is
// known.
#include "support/proxy_under_test.hpp"
#include "support/scripted_upstream.hpp"

#include <gtest/gtest.h>

namespace gatehouse::test {
namespace {

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kGet10 = "GET /a HTTP/1.0\r\nHost: a\r\n\r\n";
const std::string kFine = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";

std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// An app that gives `first` as its first answer and then, in whatever way it is asked, good ones.
ScriptedUpstream app_saying(std::string first, bool closes = false) {
  return ScriptedUpstream({[first = std::move(first), closes](Peer& peer) {
                             if (!peer.read_request()) return;
                             peer.socket.send(first);
                             if (closes) return;
                             while (peer.read_request()) peer.socket.send(kFine);
                           },
                           [](Peer& peer) {
                             while (peer.read_request()) peer.socket.send(kFine);
                           }});
}

// The client's next request on the same connection is answered as itself.
void expect_in_step(Socket& client) {
  client.send("GET /in-step HTTP/1.1\r\nHost: a\r\n\r\n");
  const ClientResponse next = read_response(client);
  EXPECT_EQ(next.status, 200);
  EXPECT_EQ(next.body, "fine");
}

struct BadHead {
  const char* what;
  std::string bytes;
  std::string reason;
};

TEST(UpstreamHead, WhatCannotBeReadInOneWayIsABadGateway) {
  const std::string reason = "upstream_malformed_response";
  const std::vector<BadHead> heads = {
      {"no HTTP", "hello\r\n\r\n", reason},
      {"HTTP/0.9", "<html>fine</html>\r\n\r\n", reason},
      {"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", reason},
      {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", reason},
      {"a status out of range", "HTTP/1.1 666 OK\r\nContent-Length: 0\r\n\r\n", reason},
      {"another version", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", reason},
      {"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", reason},
      {"an empty line first", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", reason},
      {"a field without a colon", "HTTP/1.1 200 OK\r\nServer\r\n\r\n", reason},
      {"a space before the colon", "HTTP/1.1 200 OK\r\nServer : x\r\n\r\n", reason},
      {"a folded field", "HTTP/1.1 200 OK\r\nServer: x\r\n y\r\n\r\n", reason},
      {"a split response", "HTTP/1.1 302 Found\r\nLocation: /\nSet-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n",
       reason},
      {"a response split by a bare CR",
       "HTTP/1.1 302 Found\r\nLocation: /\rSet-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n", reason},
      {"a control byte in a value", "HTTP/1.1 200 OK\r\nX-A: a\x01\r\nContent-Length: 0\r\n\r\n", reason},
      {"NUL in a value", std::string("HTTP/1.1 200 OK\r\nX-A: a\0\r\nContent-Length: 0\r\n\r\n", 47), reason},
      {"a length and a coding", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       reason},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", reason},
      {"the same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", reason},
      {"a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", reason},
      {"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", reason},
      {"an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", reason},
      {"a coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", reason},
      {"a first chunk that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfine", reason},
      {"a switch of protocols nobody asked for",
       "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", reason},
      {"interim answers without an end", repeat("HTTP/1.1 102 Processing\r\n\r\n", 1000), reason},
      {"fields without an end", "HTTP/1.1 200 OK\r\n" + repeat("X-A: 1\r\n", 20000), "upstream_head_too_large"},
      {"one field without an end", "HTTP/1.1 200 OK\r\nX-A: " + repeat("a", 200000), "upstream_head_too_large"},
      {"too many fields", "HTTP/1.1 200 OK\r\n" + repeat("A: 1\r\n", 600) + "\r\n", reason},
      {"a status line without an end", "HTTP/1.1 200 " + repeat("O", 200000), "upstream_head_too_large"},
  };
  for (const BadHead& head : heads) {
    SCOPED_TRACE(head.what);
    ScriptedUpstream app = app_saying(head.bytes);
    ProxyUnderTest proxy(app.port());
    Socket client = proxy.connect();
    client.send(kGet);
    const ClientResponse response = read_response(client);
    EXPECT_EQ(response.status, 502);
    EXPECT_TRUE(response.complete);
    EXPECT_EQ(response.head.find("evil"), std::string::npos);
    const Ended ended = proxy.ended(0);
    EXPECT_EQ(ended.reason, head.reason);
    EXPECT_EQ(ended.flag, "UPE");
    EXPECT_TRUE(ended.sidecar);
    expect_in_step(client);
    EXPECT_EQ(app.connections(), 2u) << "the connection that misbehaved is not used again";
  }
}

struct Death {
  const char* what;
  std::string bytes;
  bool reset;
  std::string reason;
};

TEST(UpstreamHead, AnAppThatDiesBeforeItsAnswerIsToldAsThat) {
  const std::vector<Death> deaths = {
      {"before the head", "", false, "upstream_closed_before_response"},
      {"before the head, hard", "", true, "upstream_reset_before_response"},
      {"in the head", "HTTP/1.1 200 OK\r\nConte", false, "upstream_closed_before_response"},
      {"in the head, hard", "HTTP/1.1 200 OK\r\nConte", true, "upstream_reset_before_response"},
      {"behind an interim answer", "HTTP/1.1 103 Early Hints\r\n\r\n", false, "upstream_closed_before_response"},
  };
  for (const Death& death : deaths) {
    SCOPED_TRACE(death.what);
    ScriptedUpstream app({[&](Peer& peer) {
                            peer.read_request();
                            peer.socket.send(death.bytes);
                            if (death.reset) peer.socket.reset();
                          },
                          [](Peer& peer) {
                            while (peer.read_request()) peer.socket.send(kFine);
                          }});
    ProxyUnderTest proxy(app.port());
    Socket client = proxy.connect();
    client.send(kGet);
    EXPECT_EQ(read_response(client).status, 502);
    const Ended ended = proxy.ended(0);
    // A reset overtakes what was sent before it, or does not.
    if (!death.reset) {
      EXPECT_EQ(ended.reason, death.reason);
    }
    EXPECT_EQ(ended.flag, "UC");
    expect_in_step(client);
  }
}

struct Cut {
  const char* what;
  std::string bytes;
  bool reset;
};

const std::vector<Cut>& cut_bodies() {
  static const std::vector<Cut> kCuts = {
      {"of a known length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", false},
      {"of a known length, hard", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", true},
      {"between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false},
      {"between chunks, hard", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", true},
      {"in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello", false},
      {"before the last line", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", false},
      {"in a chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1", false},
      {"by rubbish for a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nrubbish\r\n",
       false},
      {"by a bare LF behind a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n",
       false},
      {"by a bad trailer",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nbad trailer\r\n\r\n", false},
      {"without any framing, hard", "HTTP/1.1 200 OK\r\n\r\nhello", true},
  };
  return kCuts;
}

TEST(UpstreamBody, ABodyThatIsCutShortNeverLooksWhole) {
  for (const Cut& cut : cut_bodies()) {
    for (const std::string_view request : {kGet, kGet10}) {
      SCOPED_TRACE(std::string(cut.what) + (request == kGet10 ? " in HTTP/1.0" : ""));
      std::atomic<bool> half_there{false};
      ScriptedUpstream app([&](Peer& peer) {
        peer.read_request();
        peer.socket.send(cut.bytes);
        // The reset must not overtake the bytes: the client says when it has them.
        if (cut.reset) half_there.wait(false);
        if (cut.reset) peer.socket.reset();
      });
      ProxyUnderTest proxy(app.port());
      Socket client = proxy.connect();
      client.send(request);
      const auto head = client.read_until("\r\n\r\n");
      ASSERT_TRUE(head);
      EXPECT_TRUE(head->starts_with("HTTP/1.1 200 OK"));
      if (cut.reset) client.read_until("hello");
      half_there = true;
      half_there.notify_all();
      const std::string rest = client.read_all();
      EXPECT_EQ(client.end(), Socket::End::kReset) << "the client can tell";
      EXPECT_EQ(rest.find("0\r\n\r\n"), std::string::npos);
      const Ended ended = proxy.ended(0);
      EXPECT_EQ(ended.flag, "UC");
      EXPECT_TRUE(ended.reason == "upstream_body_incomplete" || ended.reason == "upstream_malformed_body")
          << ended.reason;
    }
  }
}

TEST(UpstreamBody, ABodyThatLastsUntilTheEndIsWholeWithTheEnd) {
  for (const std::string_view head :
       {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"}) {
    ScriptedUpstream app = app_saying(std::string(head) + "hello", true);
    ProxyUnderTest proxy(app.port());
    Socket client = proxy.connect();
    client.send(kGet);
    const ClientResponse response = read_response(client);
    EXPECT_EQ(response.body, "hello");
    EXPECT_TRUE(response.complete);
    EXPECT_TRUE(response.has("transfer-encoding: chunked"));
    expect_in_step(client);
    EXPECT_EQ(app.connections(), 2u);
    // HTTP/1.0 has no chunks: there the end says it as well.
    ScriptedUpstream other = app_saying(std::string(head) + "hello", true);
    ProxyUnderTest again(other.port());
    const ClientResponse old = again.fetch(kGet10);
    EXPECT_EQ(old.body, "hello");
    EXPECT_TRUE(old.complete);
  }
}

struct Reply {
  const char* what;
  std::string request;
  std::string bytes;
  std::string body;
  std::size_t connections;  // to the app, after a second request
};

TEST(UpstreamReuse, AConnectionIsUsedAgainOnlyWhenItsStateIsKnown) {
  const std::string get(kGet);
  const std::string head = "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::vector<Reply> replies = {
      {"a length", get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 1},
      {"chunks", get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", 1},
      {"chunks with a trailer", get,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", "hello", 1},
      {"no chunk at all", get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", 1},
      {"nothing to say", get, "HTTP/1.1 204 No Content\r\n\r\n", "", 1},
      {"nothing new", get, "HTTP/1.1 304 Not Modified\r\n\r\n", "", 1},
      {"nothing new, of no bytes", get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n", "", 1},
      {"HEAD", head, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", 1},
      // The body may still come: some apps send it.
      {"nothing new, of five bytes", get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", 2},
      {"HEAD of a length", head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "", 2},
      {"HEAD of chunks", head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", 2},
      {"an interim answer first", get,
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + kFine, "fine", 1},
      {"HTTP/1.0 that stays", get, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
       "hello", 1},
      {"HTTP/1.0", get, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 2},
      {"close", get, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", "hello", 2},
      {"bytes behind a length", get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, world", "hello", 2},
      {"bytes behind the last chunk", get,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nworld", "hello", 2},
      {"a second answer nobody asked for", get,
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "hello", 2},
      {"a body on HEAD", head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "", 2},
      {"a body on 204", get, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", "", 2},
      {"a body on 304", get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", "", 2},
  };
  for (const Reply& reply : replies) {
    SCOPED_TRACE(reply.what);
    ScriptedUpstream app = app_saying(reply.bytes);
    ProxyUnderTest proxy(app.port());
    Socket client = proxy.connect();
    client.send(reply.request);
    const ClientResponse response = read_response(client, reply.request == head);
    EXPECT_EQ(response.body, reply.body);
    EXPECT_TRUE(response.complete);
    EXPECT_EQ(proxy.ended(0).reason, "via_upstream");
    expect_in_step(client);
    EXPECT_EQ(app.connections(), reply.connections);
  }
}

TEST(UpstreamReuse, ABodyThatFollowsAnAnswerToHeadIsNoAnswerToTheNextRequest) {
  ScriptedUpstream app({[](Peer& peer) {
                          peer.read_request();
                          peer.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n");
                          // Once the next request has come, wherever it comes.
                          peer.read_request();
                          peer.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
                        },
                        [](Peer& peer) {
                          while (peer.read_request()) peer.socket.send(kFine);
                        }});
  ProxyUnderTest proxy(app.port());
  Socket client = proxy.connect();
  client.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(read_response(client, true).status, 200);
  client.send(kGet);
  EXPECT_EQ(read_response(client).body, "fine");
}

TEST(UpstreamReuse, BytesThatComeWhileAConnectionRestsAreNoAnswer) {
  std::atomic<bool> said{false};
  ScriptedUpstream app({[&](Peer& peer) {
                          peer.read_request();
                          peer.socket.send(kFine);
                          said.wait(false);
                          peer.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
                          peer.record("sent");
                          peer.read_request();
                        },
                        [](Peer& peer) {
                          while (peer.read_request()) peer.socket.send(kFine);
                        }});
  ProxyUnderTest proxy(app.port());
  Socket client = proxy.connect();
  client.send(kGet);
  EXPECT_EQ(read_response(client).body, "fine");
  said = true;
  said.notify_all();
  ASSERT_TRUE(app.waits_to_see("sent"));
  expect_in_step(client);
  EXPECT_EQ(app.connections(), 2u);
}

TEST(UpstreamReuse, AnIdleConnectionIsClosedInOrder) {
  ScriptedUpstream app([](Peer& peer) {
    peer.read_request();
    peer.socket.send(kFine);
    peer.record_end();
  });
  ProxySettings settings;
  settings.cluster.idle_timeout = std::chrono::milliseconds(50);
  ProxyUnderTest proxy(app.port(), settings);
  EXPECT_EQ(proxy.fetch(kGet).body, "fine");
  EXPECT_TRUE(app.waits_to_see("orderly"));
}

TEST(UpstreamHead, FieldsOfThatHopStayThere) {
  ScriptedUpstream app = app_saying(
      "HTTP/1.1 200 OK\r\nConnection: keep-alive, x-hop, set-cookie\r\nKeep-Alive: timeout=5\r\nX-Hop: "
      "1\r\nSet-Cookie: a=1\r\n"
      "Proxy-Authenticate: x\r\nUpgrade: h2c\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n");
  ProxyUnderTest proxy(app.port());
  const ClientResponse response = proxy.fetch(kGet);
  for (const auto* name : {"onnection", "eep-Alive", "X-Hop", "Proxy-Auth", "pgrade"})
    EXPECT_EQ(response.head.find(name), std::string::npos) << name;
  EXPECT_TRUE(response.has("Set-Cookie: a=1"));
  EXPECT_TRUE(response.has("X-A: 1"));
}

TEST(UpstreamBody, TrailersOfAnEmptyBodyAreNotLost) {
  ScriptedUpstream app = app_saying(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Grpc-Status\r\n\r\n0\r\nGrpc-Status: 7\r\n\r\n");
  ProxyUnderTest proxy(app.port());
  Socket client = proxy.connect();
  client.send(kGet);
  ASSERT_TRUE(client.read_until("\r\n\r\n"));
  EXPECT_EQ(client.read_until("\r\n\r\n").value_or("").find("0\r\nGrpc-Status: 7\r\n\r\n"), 0u);
}

}  // namespace
}  // namespace gatehouse::test
