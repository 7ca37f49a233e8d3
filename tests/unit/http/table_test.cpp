// The rows of tests/support/http1_table.jsonl: byte streams, and the one reading that they have. The end-to-end tests
// run the same rows against the binary. A row:
//   name, rfc   what it shows, and the section that says so
//   send        the bytes (each character is one), or a list of texts and [text, times]
//   sees        what the app gets: "METHOD target", or {line, body, has, lacks, trailers} of fields "name: value" or
//   "name" refused     status and reason of the answer behind those to the requests the app saw closes      the
//   connection ends after the answers (always after a refusal) unfinished  the bytes end within a request
#include "unit/http/reading.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>
#include <fstream>

namespace gatehouse::http {
namespace {

namespace json = boost::json;

// JSON holds each byte as the character of that number.
std::string bytes_of(const json::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      bytes += text[i];
      continue;
    }
    bytes += static_cast<char>((lead & 0x1f) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
  }
  return bytes;
}

std::string bytes_of(const json::value& value) {
  if (value.is_string()) return bytes_of(value.get_string());
  std::string bytes;
  for (const json::value& part : value.as_array()) {
    if (part.is_string()) {
      bytes += bytes_of(part.get_string());
      continue;
    }
    const std::string text = bytes_of(part.as_array().at(0).as_string());
    for (std::int64_t times = part.as_array().at(1).as_int64(); times > 0; --times) bytes += text;
  }
  return bytes;
}

std::vector<json::object> table() {
  std::ifstream file(GATEHOUSE_SOURCE_DIR "/tests/support/http1_table.jsonl");
  std::vector<json::object> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(json::parse(line).as_object());
  return rows;
}

bool holds(const Sent& sent, std::string_view field) {
  const std::size_t colon = field.find(": ");
  return colon == std::string_view::npos ? sent.has(field) : sent.has(field.substr(0, colon), field.substr(colon + 2));
}

void expect_sent(const Sent& sent, const json::value& expected) {
  if (expected.is_string()) {
    EXPECT_EQ(sent.line, bytes_of(expected));
    return;
  }
  const json::object& row = expected.as_object();
  EXPECT_EQ(sent.line, bytes_of(row.at("line")));
  const json::value none = json::array();
  const auto list = [&](std::string_view key) -> const json::array& {
    const auto* value = row.if_contains(key);
    return (value != nullptr ? *value : none).as_array();
  };
  for (const json::value& field : list("has")) EXPECT_TRUE(holds(sent, bytes_of(field))) << field;
  for (const json::value& field : list("lacks")) EXPECT_FALSE(holds(sent, bytes_of(field))) << field;
  if (row.contains("body")) {
    EXPECT_EQ(sent.body, bytes_of(row.at("body")));
  }
  if (row.contains("trailers")) {
    EXPECT_EQ(sent.trailers.size(), list("trailers").size());
  }
}

std::string refusal(const std::optional<HeadError>& error) {
  return error ? std::to_string(status(*error)) + " " + std::string(name(*error)) : "";
}

TEST(Http1Table, EveryRowHasItsOneReadingWholeAndByteByByte) {
  const auto rows = table();
  ASSERT_GE(rows.size(), 200u);
  for (const json::object& row : rows) {
    SCOPED_TRACE(row.at("name").as_string());
    const Reading reading = read_both_ways(bytes_of(row.at("send")));
    const auto* refused = row.if_contains("refused");
    EXPECT_EQ(refusal(reading.error), refused != nullptr ? bytes_of(*refused) : "");
    const auto* closes = row.if_contains("closes");
    EXPECT_EQ(reading.closes, refused != nullptr || (closes != nullptr && closes->as_bool()));
    EXPECT_EQ(reading.unfinished, row.contains("unfinished"));
    const auto* sees = row.if_contains("sees");
    const json::array none;
    const json::array& expected = sees != nullptr ? sees->as_array() : none;
    ASSERT_EQ(reading.requests.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) expect_sent(reading.requests[i], expected[i]);
  }
}

TEST(Http1Table, EveryRowReadsTheSameHoweverItsBytesArrive) {
  for (const json::object& row : table()) {
    const std::string bytes = bytes_of(row.at("send"));
    const Reading whole = read_requests(bytes, bytes.size());
    for (const std::size_t step : {2u, 3u, 7u, 64u}) EXPECT_EQ(read_requests(bytes, step), whole) << row.at("name");
  }
}

TEST(Http1Table, EveryReasonOfARequestHeadOrBodyOccurs) {
  std::string refusals;
  for (const json::object& row : table())
    if (const auto* refused = row.if_contains("refused")) refusals += bytes_of(*refused) + "\n";
  for (auto error = HeadError{}; error < HeadError::malformed_status_line;
       error = static_cast<HeadError>(static_cast<int>(error) + 1)) {
    // One bounds a whole body, which only the session knows; the other needs a head on which two readers disagree.
    if (error == HeadError::body_too_large || error == HeadError::ambiguous_head) continue;
    EXPECT_NE(refusals.find(" " + std::string(name(error)) + "\n"), std::string::npos) << name(error);
  }
}

}  // namespace
}  // namespace gatehouse::http
