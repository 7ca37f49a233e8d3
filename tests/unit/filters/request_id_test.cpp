#include "filters/request_id.hpp"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace gatehouse {
namespace {

struct Passed {
  Arena arena;
  Exchange exchange{arena};
  RequestId filter;
  Response response{arena};
  void run() {
    EXPECT_FALSE(filter.on_request(exchange).has_value());
    filter.on_response(exchange, response);
  }
};

TEST(RequestId, IsMadeWhenThereIsNone) {
  Passed passed;
  passed.run();
  EXPECT_EQ(passed.exchange.request_id.size(), 32U);
  EXPECT_TRUE(passed.exchange.request_id_is_own);
  EXPECT_EQ(passed.exchange.request().headers.value(FieldId::x_request_id), passed.exchange.request_id);
  EXPECT_EQ(passed.response.headers.value(FieldId::x_request_id), passed.exchange.request_id);
}

TEST(RequestId, DiffersFromRequestToRequestAndFromWorkerToWorker) {
  std::set<std::string> seen;
  for (int worker = 0; worker < 4; ++worker) {
    RequestId filter;
    for (int i = 0; i < 250; ++i) {
      Arena arena;
      Exchange exchange(arena);
      filter.on_request(exchange);
      seen.emplace(exchange.request_id);
    }
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(RequestId, OfTheClientIsKeptWhenWellFormed) {
  Passed passed;
  passed.exchange.request().headers.add("X-Request-Id", "a1b2-c3");
  passed.run();
  EXPECT_EQ(passed.exchange.request_id, "a1b2-c3");
  EXPECT_FALSE(passed.exchange.request_id_is_own);
}

TEST(RequestId, OfTheClientIsReplacedWhenMalformedOrRepeated) {
  for (const char* bad : {"", "a b", "x\"y", "<script>", "a,b", "\xc3\xa4"}) {
    Passed passed;
    passed.exchange.request().headers.add("X-Request-Id", bad);
    passed.run();
    EXPECT_EQ(passed.exchange.request_id.size(), 32U) << bad;
  }
  Passed repeated;
  repeated.exchange.request().headers.add("X-Request-Id", "one");
  repeated.exchange.request().headers.add("X-Request-Id", "two");
  repeated.run();
  EXPECT_EQ(repeated.exchange.request().headers.count(FieldId::x_request_id), 1U);
  EXPECT_NE(repeated.exchange.request_id, "one");
}

TEST(RequestId, LongerThanABoundIsReplaced) {
  EXPECT_TRUE(well_formed_request_id(std::string(128, 'a')));
  EXPECT_FALSE(well_formed_request_id(std::string(129, 'a')));
}

TEST(TraceContext, GivesTheTraceIdOfAValidField) {
  EXPECT_EQ(trace_id_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(TraceContext, RefusesWhatTheStandardForbids) {
  for (const char* bad : {"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra"})
    EXPECT_EQ(trace_id_of(bad), "") << bad;
}

TEST(TraceContext, InvalidIsNotPassedOn) {
  Passed passed;
  passed.exchange.request().headers.add("traceparent", "nonsense");
  passed.exchange.request().headers.add("tracestate", "a=b");
  passed.run();
  EXPECT_EQ(passed.exchange.request().headers.find(FieldId::traceparent), nullptr);
  EXPECT_EQ(passed.exchange.request().headers.find(FieldId::tracestate), nullptr);
  EXPECT_EQ(passed.exchange.trace_id, "");
}

}  // namespace
}  // namespace gatehouse
