#include "http/h1_writer.hpp"

#include <gtest/gtest.h>
#include <string>

namespace gatehouse::http {
namespace {

class RequestWriter : public testing::Test {
 protected:
  RequestWriter() {
    request_.method_text = "GET";
    request_.path = "/a";
    request_.authority = "client.example";
  }
  std::string written(Framing framing = {}, std::string_view upgrade = {}) {
    return std::string(write_request_head(request_, framing, "app:8000", upgrade, arena_));
  }
  Arena arena_;
  Request request_{arena_};
};

TEST_F(RequestWriter, WritesOneHostFirst) {
  request_.headers.add("Host", "client.example");
  request_.headers.add("X-A", "1");
  EXPECT_EQ(written(), "GET /a HTTP/1.1\r\nhost: client.example\r\nX-A: 1\r\n\r\n");
}

TEST_F(RequestWriter, NamesTheAppWhereTheClientNamedNoHost) {
  request_.authority = {};
  EXPECT_EQ(written(), "GET /a HTTP/1.1\r\nhost: app:8000\r\n\r\n");
}

TEST_F(RequestWriter, KeepsAnEmptyQueryApartFromNone) {
  request_.has_query = true;
  EXPECT_EQ(written(), "GET /a? HTTP/1.1\r\nhost: client.example\r\n\r\n");
  request_.query = "b=c";
  EXPECT_EQ(written(), "GET /a?b=c HTTP/1.1\r\nhost: client.example\r\n\r\n");
}

TEST_F(RequestWriter, WritesOneFramingField) {
  EXPECT_TRUE(written({Framing::Kind::kLength, 18446744073709551615u})
                  .ends_with("\r\ncontent-length: 18446744073709551615\r\n\r\n"));
  EXPECT_TRUE(written({Framing::Kind::kChunked, 0}).ends_with("\r\ntransfer-encoding: chunked\r\n\r\n"));
}

TEST_F(RequestWriter, SaysThatAnExpectedBodyIsEmpty) {
  for (const auto& [text, method, says] : {std::tuple{"POST", Method::kPost, true},
                                           {"PUT", Method::kPut, true},
                                           {"PATCH", Method::kPatch, true},
                                           {"GET", Method::kGet, false},
                                           {"DELETE", Method::kDelete, false},
                                           {"LIST", Method::kOther, false}}) {
    request_.method_text = text;
    request_.method = method;
    EXPECT_EQ(written().find("content-length: 0\r\n") != std::string::npos, says) << text;
  }
}

TEST_F(RequestWriter, AsksForAnUpgradeInBothFields) {
  EXPECT_TRUE(written({}, "websocket").ends_with("\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"));
}

TEST_F(RequestWriter, NamesTeInConnection) {
  request_.headers.add("te", "trailers");
  EXPECT_TRUE(written().ends_with("\r\nte: trailers\r\nconnection: te\r\n\r\n"));
}

class ResponseWriter : public testing::Test {
 protected:
  std::string written(Framing framing, Persistence persistence = Persistence::kKeepAlive, unsigned minor = 1,
                      std::string_view upgrade = {}) {
    return std::string(write_response_head(response_, framing, persistence, minor, upgrade, "now", arena_));
  }
  Arena arena_;
  Response response_{arena_};
};

TEST_F(ResponseWriter, WritesStatusFieldsDateAndFraming) {
  response_.status = 404;
  response_.headers.add("X-A", "1");
  EXPECT_EQ(written({Framing::Kind::kLength, 5}),
            "HTTP/1.1 404 Not Found\r\nX-A: 1\r\ndate: now\r\ncontent-length: 5\r\n\r\n");
}

TEST_F(ResponseWriter, KeepsTheAppsDate) {
  response_.headers.add("Date", "then");
  EXPECT_EQ(written({}), "HTTP/1.1 200 OK\r\nDate: then\r\n\r\n");
}

TEST_F(ResponseWriter, WritesAnUnregisteredStatusWithoutPhrase) {
  response_.status = 599;
  EXPECT_TRUE(written({}).starts_with("HTTP/1.1 599 \r\n"));
}

TEST_F(ResponseWriter, TellsTheClientHowTheConnectionGoesOn) {
  EXPECT_EQ(written({}).find("connection"), std::string::npos);
  EXPECT_NE(written({}, Persistence::kKeepAlive, 0).find("connection: keep-alive\r\n"), std::string::npos);
  EXPECT_NE(written({}, Persistence::kClose).find("connection: close\r\n"), std::string::npos);
  EXPECT_NE(written({}, Persistence::kUpgrade, 1, "websocket").find("connection: upgrade\r\nupgrade: websocket\r\n"),
            std::string::npos);
}

TEST(WriteChunkSize, WritesHexadecimalAndCrLf) {
  std::array<char, 20> buffer;
  EXPECT_EQ(write_chunk_size(1, buffer), "1\r\n");
  EXPECT_EQ(write_chunk_size(0xabc0, buffer), "abc0\r\n");
  EXPECT_EQ(write_chunk_size(static_cast<std::size_t>(-1), buffer), "ffffffffffffffff\r\n");
}

TEST(WriteTrailers, EndsTheBodyWithOrWithoutFields) {
  Arena arena;
  Headers trailers(arena);
  EXPECT_EQ(write_trailers(trailers, arena), "\r\n");
  trailers.add("X-Sum", "1");
  EXPECT_EQ(write_trailers(trailers, arena), "X-Sum: 1\r\n\r\n");
}

TEST(ReasonPhrase, IsThereForEveryStatusThatGatehouseWrites) {
  for (const int status : {101, 200, 204, 304, 308, 400, 401, 403, 404, 405, 408, 413, 414,
                           415, 417, 421, 422, 429, 431, 500, 501, 502, 503, 504, 505})
    EXPECT_FALSE(reason_phrase(status).empty()) << status;
}

TEST(DateCache, WritesAnImfFixdateAndFollowsTheClock) {
  DateCache date;
  EXPECT_EQ(date.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(951827696), "Tue, 29 Feb 2000 12:34:56 GMT");
  EXPECT_EQ(date.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace gatehouse::http
