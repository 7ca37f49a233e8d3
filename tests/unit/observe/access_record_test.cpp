#include "observe/access_record.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

using namespace gatehouse;
using namespace std::chrono_literals;

namespace {

AccessRecord sample() {
  AccessRecord record;
  record.received_at = std::chrono::system_clock::time_point(1782909296789ms);
  record.method = "POST";
  record.scheme = "https";
  record.authority = "shop.example";
  record.path = "/orders/17";
  record.query = "page=2&access_token=not-a-token-1";
  record.route = "/orders/{id}";
  record.status = 201;
  record.reason = "via_upstream";
  record.response_flags = "-";
  record.client_address = "192.0.2.7";
  record.peer_address = "10.0.0.1";
  record.request_id = "req-1";
  record.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  record.span_id = "00f067aa0ba902b7";
  record.protocol_version = "1.1";
  record.tls_version = "1.3";
  record.user_agent = "curl/8.0";
  record.referer = "https://shop.example/cart?token=not-a-token-2";
  record.upstream_address = "127.0.0.1:8000";
  record.bytes_received = 34;
  record.bytes_sent = 567;
  record.total = 12345us;
  record.read = 100us;
  record.queue = 20us;
  record.upstream_connect = 300us;
  record.upstream_first_byte = 11000us;
  record.body = 180us;
  record.upstream_total = 11500us;
  record.added = 845us;
  record.upstream_attempts = 1;
  return record;
}

std::string written(const AccessRecord& record, const AccessFormat& format = {}) {
  static const auto redactor = Redactor::standard();
  std::string out;
  write_access_record(record, format, *redactor, out);
  return out;
}

boost::json::object parsed(const std::string& line) {
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  return boost::json::parse(std::string_view(line).substr(0, line.size() - 1)).as_object();
}

}  // namespace

TEST(AccessRecord, HasAStableDefaultForm) {
  EXPECT_EQ(written(sample()),
            R"({"timestamp":"2026-07-01T12:34:56.789Z","level":"info","logger":"access","schema":1,)"
            R"("http.request.method":"POST","url.path":"/orders/17","url.query":"page=2&access_token=REDACTED",)"
            R"("http.route":"/orders/{id}","http.response.status_code":201,"gatehouse.decided_by":"origin",)"
            R"("gatehouse.reason":"via_upstream","gatehouse.duration.total":0.012345,"client.address":"192.0.2.7",)"
            R"("request_id":"req-1","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","gatehouse.response_flags":"-",)"
            R"("network.protocol.version":"1.1","tls.protocol.version":"1.3","user_agent.original":"curl/8.0",)"
            R"("http.request.body.size":34,"http.response.body.size":567,"gatehouse.duration.added":0.000845,)"
            R"("gatehouse.duration.upstream":0.011500})"
            "\n");
}

TEST(AccessRecord, WritesFewerOrMoreFieldsOnRequest) {
  const auto minimal = parsed(written(sample(), {.fields = AccessFields::kMinimal}));
  const auto standard = parsed(written(sample()));
  const auto full = parsed(written(sample(), {.fields = AccessFields::kFull}));
  for (const auto& field : minimal) EXPECT_TRUE(standard.contains(field.key())) << field.key();
  for (const auto& field : standard) EXPECT_TRUE(full.contains(field.key())) << field.key();
  EXPECT_FALSE(minimal.contains("user_agent.original"));
  EXPECT_EQ(full.at("http.request.header.referer"), "https://shop.example/cart?token=REDACTED");
  EXPECT_EQ(full.at("network.peer.address"), "10.0.0.1");
  EXPECT_EQ(full.at("server.address"), "shop.example");
  EXPECT_EQ(full.at("gatehouse.duration.upstream_first_byte").as_double(), 0.011);
  EXPECT_EQ(full.at("gatehouse.duration.queue").as_double(), 0.00002);
  EXPECT_EQ(full.at("gatehouse.duration.body").as_double(), 0.00018);
}

TEST(AccessRecord, SaysWhoDecidedAndMarksServerErrors) {
  AccessRecord record = sample();
  record.status = 503;
  record.sidecar = true;
  record.reason = "no_healthy_upstream";
  record.response_flags = "UH";
  const auto line = parsed(written(record));
  EXPECT_EQ(line.at("level"), "error");
  EXPECT_EQ(line.at("gatehouse.decided_by"), "sidecar");
  EXPECT_EQ(line.at("gatehouse.reason"), "no_healthy_upstream");
  EXPECT_EQ(line.at("gatehouse.response_flags"), "UH");
}

TEST(AccessRecord, TellsWhatAFilterNotedWhereOneDid) {
  AccessRecord record = sample();
  EXPECT_FALSE(parsed(written(record)).contains("gatehouse.note"));
  record.note = "cors_origin_denied";
  EXPECT_EQ(parsed(written(record)).at("gatehouse.note"), "cors_origin_denied");
}

TEST(AccessRecord, IsWrittenForARequestThatNeverParsed) {
  AccessRecord record;
  record.sidecar = true;
  record.status = 400;
  record.reason = "malformed_head";
  const auto line = parsed(written(record, {.fields = AccessFields::kFull}));
  EXPECT_EQ(line.at("http.response.status_code"), 400);
  EXPECT_FALSE(line.contains("url.query"));
  EXPECT_FALSE(line.contains("gatehouse.duration.upstream"));
}

TEST(AccessRecord, LeavesTheStatusOutWhenNoneWasSent) {
  AccessRecord record = sample();
  record.status = 0;
  EXPECT_FALSE(parsed(written(record)).contains("http.response.status_code"));
}

TEST(AccessRecord, AddsHeadersThatTheFormatNamesAndRedactsThem) {
  Arena arena;
  Headers request(arena), response(arena);
  request.add("Authorization", "Bearer not-a-token-3");
  request.add("Cookie", "sid=not-a-session; theme=dark");
  request.add("X-Tenant", "blue");
  response.add("Set-Cookie", "sid=not-a-session; Path=/; HttpOnly");
  response.add("Content-Type", "text/html");
  AccessRecord record = sample();
  record.request_headers = &request;
  record.response_headers = &response;
  AccessFormat format;
  format.request_headers = {"authorization", "Cookie", "x-tenant", "x-missing"};
  format.response_headers = {"set-cookie", "content-type"};
  const auto line = parsed(written(record, format));
  EXPECT_EQ(line.at("http.request.header.authorization"), "Bearer REDACTED");
  EXPECT_EQ(line.at("http.request.header.cookie"), "sid=REDACTED; theme=REDACTED");
  EXPECT_EQ(line.at("http.request.header.x-tenant"), "blue");
  EXPECT_FALSE(line.contains("http.request.header.x-missing"));
  EXPECT_EQ(line.at("http.response.header.set-cookie"), "sid=REDACTED; Path=/; HttpOnly");
  EXPECT_EQ(line.at("http.response.header.content-type"), "text/html");
}

TEST(AccessRecord, HidesASecretInAnIdOfTheClientAndKeepsAnIdThatWasMadeHere) {
  AccessRecord record = sample();
  record.request_id = "token=not-a-token-4";
  EXPECT_EQ(parsed(written(record)).at("request_id"), "token=REDACTED");
  record.request_id_is_own = true;
  EXPECT_EQ(parsed(written(record)).at("request_id"), "token=not-a-token-4");
}

TEST(AccessRecord, HasATextForm) {
  EXPECT_EQ(written(sample(), {.fields = AccessFields::kMinimal, .format = LogFormat::kText}),
            "2026-07-01T12:34:56.789Z POST /orders/17?page=2&access_token=REDACTED 201 0.012345s client=192.0.2.7 "
            "by=origin reason=via_upstream id=req-1\n");
  AccessRecord hostile = sample();
  hostile.path = "/\x1b[31m\n\"fake line";
  hostile.user_agent = "\r\nfaked";
  const std::string line = written(hostile, {.fields = AccessFields::kFull, .format = LogFormat::kText});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

TEST(AccessRecord, IsBoundedWhateverComesIn) {
  const std::string huge(1000000, '\x01');
  AccessRecord record = sample();
  record.method = record.path = record.query = record.user_agent = record.referer = record.request_id = huge;
  record.client_address = record.authority = huge;
  EXPECT_LT(written(record, {.fields = AccessFields::kFull}).size(), 65536u);
  parsed(written(record, {.fields = AccessFields::kFull}));
}
