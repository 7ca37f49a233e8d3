// What a stream of requests comes to, taken apart for expectations by a reader that is not made of the code under test.
#pragma once

#include "http/h1_parser.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::http {

using TextFields = std::vector<std::pair<std::string, std::string>>;  // names in lower case

// One request as it is sent to the app.
struct Sent {
  std::string line;  // method and target
  TextFields fields;
  std::string body;
  TextFields trailers;

  bool operator==(const Sent&) const = default;
  bool has(std::string_view name) const;
  bool has(std::string_view name, std::string_view value) const;
};

struct Reading {
  std::vector<Sent> requests;
  std::optional<HeadError> error;
  bool closes = false;      // after the last answer
  bool unfinished = false;  // the bytes end within a request

  bool operator==(const Reading&) const = default;
};

// `step`: how many bytes arrive at a time.
Reading read_requests(std::string_view bytes, std::size_t step, const RequestRules& rules = {});
// The same, whole and byte by byte, which must not differ.
Reading read_both_ways(std::string_view bytes, const RequestRules& rules = {});

// For expectations: the name of the error, or "none".
std::string_view text(const std::optional<HeadError>& error);

}  // namespace gatehouse::http
