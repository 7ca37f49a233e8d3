#include "unit/http/reading.hpp"

#include "support/request_stream.hpp"

#include <gtest/gtest.h>
#include <algorithm>

namespace gatehouse::http {
namespace {

std::string lower(std::string_view text) {
  std::string copy(text);
  for (char& c : copy)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return copy;
}

// The lines up to the empty one, which must be the last.
TextFields take_fields(std::string_view lines) {
  TextFields fields;
  while (lines != "\r\n") {
    const std::size_t end = lines.find("\r\n");
    const auto field = lines.substr(0, end);
    const std::size_t colon = field.find(": ");
    if (end == std::string_view::npos || colon == std::string_view::npos) {
      ADD_FAILURE() << "not a field line: " << field;
      break;
    }
    fields.emplace_back(lower(field.substr(0, colon)), field.substr(colon + 2));
    lines.remove_prefix(end + 2);
  }
  return fields;
}

Sent take_apart(const WireRequest& request) {
  const std::string_view head = request.head;
  const std::size_t first = head.find("\r\n");
  const auto line = head.substr(0, first);
  EXPECT_TRUE(line.ends_with(" HTTP/1.1")) << line;
  Sent sent{std::string(line.substr(0, line.size() - 9)), take_fields(head.substr(first + 2)), request.body, {}};
  if (request.chunked) sent.trailers = take_fields(request.trailers);
  return sent;
}

}  // namespace

bool Sent::has(std::string_view name) const {
  return std::any_of(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
}

bool Sent::has(std::string_view name, std::string_view value) const {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const auto& field) { return field.first == name && field.second == value; });
}

Reading read_requests(std::string_view bytes, std::size_t step, const RequestRules& rules) {
  const StreamReading stream = read_stream(bytes, step, rules);
  Reading reading{{}, stream.error, stream.closes, stream.unfinished};
  for (const WireRequest& request : stream.requests) reading.requests.push_back(take_apart(request));
  return reading;
}

Reading read_both_ways(std::string_view bytes, const RequestRules& rules) {
  Reading whole = read_requests(bytes, std::max<std::size_t>(bytes.size(), 1), rules);
  EXPECT_EQ(whole, read_requests(bytes, 1, rules)) << "differs when it comes byte by byte";
  return whole;
}

std::string_view text(const std::optional<HeadError>& error) { return error ? name(*error) : "none"; }

}  // namespace gatehouse::http
