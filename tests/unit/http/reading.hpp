// Reads a stream of requests as a session does, without sockets: what the app would get, and how it ends.
#pragma once

#include "http/chunked.hpp"
#include "http/h1_parser.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::http {

using TextFields = std::vector<std::pair<std::string, std::string>>;  // names in lower case

// One request as it would be sent to the app, taken apart by a reader of the test's own.
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

// Of a request whose bytes are exactly one head: what write_request_head() makes of it, with CRLF for line ends.
std::string rewritten(std::string_view head, const RequestRules& rules = {});

// For expectations: the name of the error, or "none".
std::string_view text(const std::optional<HeadError>& error);

}  // namespace gatehouse::http
