// What the table of requests does not say: bounds to the byte, rules, what a head means for the connection, and
// responses.
#include "http/h1_parser.hpp"

#include "unit/http/reading.hpp"

#include <gtest/gtest.h>
#include <string>

namespace gatehouse::http {
namespace {

HeadScanner::Result scan_in_steps(std::string_view bytes, Side side, const HeadLimits& limits, std::size_t step) {
  HeadScanner scanner(side);
  HeadScanner::Result result;
  for (std::size_t given = 0; given < bytes.size() && !result.complete && !result.error;) {
    given = std::min(bytes.size(), given + step);
    result = scanner.scan(bytes.substr(0, given), limits);
  }
  return result;
}

HeadScanner::Result scan(std::string_view bytes, Side side = Side::kRequest, const HeadLimits& limits = {}) {
  const auto whole = scan_in_steps(bytes, side, limits, bytes.size());
  const auto slow = scan_in_steps(bytes, side, limits, 1);
  EXPECT_EQ(whole.complete, slow.complete);
  EXPECT_EQ(text(whole.error), text(slow.error));
  EXPECT_EQ(whole.begin, slow.begin);
  EXPECT_EQ(whole.end, slow.end);
  return whole;
}

TEST(HeadScanner, FindsTheEndAndLeavesTheBody) {
  const auto found = scan("GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\r\n\r\n");
  EXPECT_TRUE(found.complete);
  EXPECT_EQ(found.begin, 0u);
  EXPECT_EQ(found.end, 27u);
}

TEST(HeadScanner, SkipsOneEmptyLineBeforeARequestOnly) {
  EXPECT_EQ(scan("\r\nGET / HTTP/1.1\r\n\r\n").begin, 2u);
  EXPECT_EQ(scan("\r\n\r\nGET / HTTP/1.1\r\n\r\n").error, HeadError::malformed_request_line);
  EXPECT_TRUE(scan("\r\nHTTP/1.1 200 OK\r\n\r\n", Side::kResponse).error);
}

TEST(HeadScanner, HoldsItsBoundsToTheByte) {
  const HeadLimits limits{100, 50, 10};
  const auto error_of = [&](std::size_t line, std::size_t fields) {
    return text(
        scan(std::string(line - 2, 'x') + "\r\n" + std::string(fields - 2, 'y') + "\r\n\r\n", Side::kRequest, limits)
            .error);
  };
  EXPECT_EQ(error_of(164, 50), "none");
  EXPECT_EQ(error_of(165, 50), "target_too_long");
  EXPECT_EQ(error_of(164, 51), "head_too_large");
}

TEST(HeadScanner, DecidesBeforeABufferOfTheLargestHeadIsFull) {
  const HeadLimits limits{10, 20, 10};
  for (const std::string_view begin : {"", "\r\n"})
    for (const std::size_t line : {std::size_t{1}, std::size_t{30}, std::size_t{72}}) {
      const std::string bytes = std::string(begin) + std::string(line, 'x') + "\r\n" + std::string(500, 'y');
      const auto found = scan(std::string_view(bytes).substr(0, limits.head_bytes()), Side::kRequest, limits);
      EXPECT_TRUE(found.error || found.complete) << line;
    }
}

TEST(HeadScanner, RecognisesTlsByItsFirstByte) {
  EXPECT_EQ(scan("\x16\x03\x01").error, HeadError::tls_on_plain_port);
  EXPECT_EQ(scan("\x16", Side::kResponse).error, std::nullopt);
}

class RequestHeadTest : public testing::Test {
 protected:
  std::optional<HeadError> parse(std::string_view head) { return parse_request_head(arena_.copy(head), rules_, request_, head_); }
  Arena arena_;
  Request request_{arena_};
  RequestHead head_;
  RequestRules rules_;
};

TEST_F(RequestHeadTest, FillsTheRequest) {
  ASSERT_FALSE(parse("PUT /a/b?c=d HTTP/1.0\r\nHost: app.example:80\r\nX-A: 1\r\nContent-Length: 3\r\n\r\n"));
  EXPECT_EQ(request_.method, Method::kPut);
  EXPECT_EQ(request_.method_text, "PUT");
  EXPECT_EQ(request_.path, "/a/b");
  EXPECT_EQ(request_.query, "c=d");
  EXPECT_TRUE(request_.has_query);
  EXPECT_EQ(request_.authority, "app.example:80");
  EXPECT_EQ(request_.minor_version, 0u);
  EXPECT_EQ(request_.headers.size(), 2u);
  EXPECT_EQ(head_.target, "/a/b?c=d");
  EXPECT_EQ(head_.framing.length, 3u);
}

TEST_F(RequestHeadTest, TellsTheTargetOfARefusedHeadForTheRecord) {
  EXPECT_EQ(parse("GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n"), HeadError::dot_segment_in_path);
  EXPECT_EQ(head_.target, "/a/../b");
}

TEST_F(RequestHeadTest, CountsDroppedNamesAndLetsAllowedOnesPass) {
  rules_.allowed_names = {"x_api.key"};
  ASSERT_FALSE(parse("GET / HTTP/1.1\r\nHost: a\r\nX_A: 1\r\nX.B: 2\r\nX_Api.Key: 3\r\n\r\n"));
  EXPECT_EQ(head_.dropped_names, 2u);
  EXPECT_EQ(request_.headers.value("X_Api.Key"), "3");
  EXPECT_EQ(request_.headers.find("X_A"), nullptr);
}

TEST_F(RequestHeadTest, SaysWhetherTheConnectionIsKept) {
  const auto kept = [](std::string_view version, std::string_view fields) {
    Arena arena;
    Request request(arena);
    RequestHead head;
    const std::string bytes = "GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + std::string(fields) + "\r\n";
    EXPECT_FALSE(parse_request_head(bytes, {}, request, head));
    return head.keep_alive;
  };
  EXPECT_TRUE(kept("1.1", ""));
  EXPECT_FALSE(kept("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(kept("1.1", "Connection: keep-alive, close\r\n"));
  EXPECT_FALSE(kept("1.0", ""));
  EXPECT_TRUE(kept("1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(kept("1.0", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_FALSE(kept("1.0", "Proxy-Connection: keep-alive\r\n"));
}

TEST_F(RequestHeadTest, IgnoresAnExpectationInHttp10) {
  ASSERT_FALSE(parse("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_FALSE(head_.expects_continue);
}

TEST_F(RequestHeadTest, FollowsItsLimits) {
  rules_.limits = {4, 1000, 2};
  EXPECT_EQ(parse("GET /abcd HTTP/1.1\r\nHost: a\r\n\r\n"), HeadError::target_too_long);
  EXPECT_EQ(parse("GET /abc HTTP/1.1\r\nHost: a\r\nB: c\r\nD: e\r\n\r\n"), HeadError::too_many_fields);
}

class ResponseHeadTest : public testing::Test {
 protected:
  std::string parse(std::string_view head, Method method = Method::kGet) {
    response_ = Response(arena_);
    head_ = {};
    return std::string(text(parse_response_head(arena_.copy(head), limits_, method, response_, head_)));
  }
  std::string with(std::string_view fields) { return parse("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n"); }

  Arena arena_;
  Response response_{arena_};
  ResponseHead head_;
  HeadLimits limits_;
};

TEST_F(ResponseHeadTest, ReadsStatusLinesThatAppsWrite) {
  for (const std::string_view line : {"HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 200 ", "HTTP/1.1 200",
                                      "HTTP/1.1 200 Tr\xc3\xa8s bien", "HTTP/1.1 200 a\tb"}) {
    EXPECT_EQ(parse(std::string(line) + "\r\nContent-Length: 0\r\n\r\n"), "none") << line;
    EXPECT_EQ(response_.status, 200);
  }
}

TEST_F(ResponseHeadTest, RefusesStatusLinesThatReadInTwoWays) {
  for (const std::string_view line : {"",
                                      "HTTP/1.1",
                                      "HTTP/1.1 ",
                                      "HTTP/1.1 20",
                                      "HTTP/1.1 2000 OK",
                                      "HTTP/1.1  200 OK",
                                      "HTTP/1.1\t200 OK",
                                      "HTTP/1.1 200OK",
                                      "HTTP/1.1 099 No",
                                      "HTTP/1.1 600 No",
                                      "HTTP/1.1 999 No",
                                      "HTTP/1.1 +20 OK",
                                      "HTTP/1.1 2 0 OK",
                                      "HTTP/1.1 0xC8",
                                      "http/1.1 200 OK",
                                      "HTTP/1.1.1 200",
                                      "HTTP/11 200 OK",
                                      "ICY 200 OK",
                                      " HTTP/1.1 200 OK",
                                      "HTTP/1.1 200 OK\x01",
                                      "HTTP/1.1 200 O\rK",
                                      "<html>",
                                      "GET / HTTP/1.1"})
    EXPECT_EQ(parse(std::string(line) + "\r\nContent-Length: 0\r\n\r\n"), "malformed_status_line") << line;
  for (const std::string_view line : {"HTTP/0.9 200 OK", "HTTP/1.2 200 OK", "HTTP/2.0 200 OK"})
    EXPECT_EQ(parse(std::string(line) + "\r\n\r\n"), "unsupported_version") << line;
}

TEST_F(ResponseHeadTest, RefusesFieldsThatReadInTwoWays) {
  EXPECT_EQ(with("A: b\rc\r\n"), "bare_carriage_return");
  EXPECT_EQ(with(std::string_view("A: b\0c\r\n", 9)), "control_byte");
  EXPECT_EQ(with("A: b\x1b[0m\r\n"), "control_byte");
  EXPECT_EQ(with("A: b\r\n c\r\n"), "folded_field");
  EXPECT_EQ(with("A : b\r\n"), "malformed_field");
  EXPECT_EQ(with("A b: c\r\n"), "malformed_field");
  EXPECT_EQ(with("A\r\n"), "malformed_field");
  EXPECT_EQ(with("Content-Length: 1\r\nContent-Length: 2\r\n"), "conflicting_content_length");
  EXPECT_EQ(with("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), "length_and_coding");
}

TEST_F(ResponseHeadTest, KeepsEveryFieldOfTheApp) {
  EXPECT_EQ(with("Set-Cookie: a=1\r\nset-cookie: b=2\r\nX_Odd.Name: 1\r\nETag: \"x\"\r\nContent-Length: 0\r\n"),
            "none");
  EXPECT_EQ(response_.headers.size(), 5u);
  EXPECT_EQ(response_.headers.count("Set-Cookie"), 2u);
}

TEST_F(ResponseHeadTest, BoundsTheNumberOfFields) {
  limits_.field_count = 2;
  EXPECT_EQ(with("A: 1\r\nB: 2\r\n"), "none");
  EXPECT_EQ(with("A: 1\r\nB: 2\r\nC: 3\r\n"), "too_many_fields");
}

TEST_F(ResponseHeadTest, SaysWhetherTheConnectionCanCarryAnotherRequest) {
  const auto kept = [this](std::string_view head) {
    EXPECT_EQ(parse(head), "none");
    return head_.keep_alive;
  };
  EXPECT_TRUE(kept("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_TRUE(kept("HTTP/1.1 204 No Content\r\n\r\n"));
  EXPECT_FALSE(kept("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n"));
  EXPECT_FALSE(kept("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_FALSE(kept("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_TRUE(kept("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST_F(ResponseHeadTest, TellsAnUpgradeOnlyWhereBothFieldsSayIt) {
  const auto upgrade = [this](std::string_view fields) {
    EXPECT_EQ(parse("HTTP/1.1 101 Switching Protocols\r\n" + std::string(fields) + "\r\n"), "none");
    return head_.upgrade;
  };
  EXPECT_EQ(upgrade("Connection: Upgrade\r\nUpgrade: WebSocket\r\n"), "websocket");
  EXPECT_EQ(upgrade("Upgrade: websocket\r\n"), "");
  EXPECT_EQ(upgrade("Connection: Upgrade\r\n"), "");
  EXPECT_EQ(upgrade("Connection: Upgrade\r\nUpgrade: h2c\r\n"), "");
}

TEST_F(ResponseHeadTest, KnowsWhichAnswersHaveNoBody) {
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method::kHead), "none");
  EXPECT_EQ(head_.framing.kind, Framing::Kind::kNone);
  EXPECT_FALSE(head_.keep_alive);  // the five bytes may come
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\n\r\n", Method::kHead), "none");
  EXPECT_TRUE(head_.keep_alive);
}

}  // namespace
}  // namespace gatehouse::http
