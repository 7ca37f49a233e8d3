#include "http/hop_by_hop.hpp"

#include <gtest/gtest.h>
#include <string>

namespace gatehouse::http {
namespace {

std::string left_of(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  Arena arena;
  Headers headers(arena);
  for (const auto& [name, value] : fields) headers.add(name, value);
  remove_hop_by_hop(headers);
  std::string names;
  for (const Field& field : headers) names.append(field.name).append(" ");
  return names;
}

TEST(RemoveHopByHop, TakesTheFieldsOfOneConnection) {
  EXPECT_EQ(left_of({{"Connection", "close"},
                     {"Keep-Alive", "timeout=5"},
                     {"Proxy-Connection", "close"},
                     {"Proxy-Authenticate", "Basic"},
                     {"Proxy-Authorization", "x"},
                     {"TE", "trailers"},
                     {"Transfer-Encoding", "chunked"},
                     {"Content-Length", "1"},
                     {"Upgrade", "h2c"},
                     {"Expect", "100-continue"},
                     {"X-A", "1"}}),
            "X-A ");
}

TEST(RemoveHopByHop, TakesWhatConnectionNamesInAnyCaseAndAnyField) {
  EXPECT_EQ(left_of({{"X-Hop", "1"},
                     {"Connection", "x-hop, ,X-OTHER"},
                     {"X-Other", "2"},
                     {"x-hop", "3"},
                     {"connection", "x-third"},
                     {"X-Third", "4"},
                     {"X-A", "5"}}),
            "X-A ");
}

TEST(RemoveHopByHop, LeavesFieldsThatTheOtherSideNeedsWhateverConnectionSays) {
  EXPECT_EQ(
      left_of({{"Connection", "Host, Authorization, Cookie, X-Forwarded-For, Set-Cookie, Cache-Control, Traceparent"},
               {"Host", "a"},
               {"Authorization", "x"},
               {"Cookie", "a"},
               {"X-Forwarded-For", "1.1.1.1"},
               {"Set-Cookie", "a"},
               {"Cache-Control", "private"},
               {"traceparent", "00-1-1-00"}}),
      "Host Authorization Cookie X-Forwarded-For Set-Cookie Cache-Control traceparent ");
}

TEST(RemoveHopByHop, TellsOnWhichTrailersWillCome) { EXPECT_EQ(left_of({{"Trailer", "X-Sum"}}), "Trailer "); }

TEST(RemoveHopByHop, IsNotImpressedByThousandsOfOptions) {
  std::string options;
  for (int i = 0; i < 5000; ++i) options += "o" + std::to_string(i) + ",";
  EXPECT_EQ(left_of({{"Connection", options}, {"o0", "1"}, {"X-A", "1"}}), "X-A ");
}

}  // namespace
}  // namespace gatehouse::http
