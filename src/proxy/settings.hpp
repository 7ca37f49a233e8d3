// What the request path is told about a deployment: plain values, made from the configuration in app/, immutable.
#pragma once

#include "http/chunked.hpp"
#include "http/forwarded.hpp"
#include "http/h1_parser.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse::proxy {

using std::chrono::milliseconds;

// Each deadline runs from one event to another; none covers a whole request.
struct Deadlines {
  milliseconds tls_handshake{10000};  // accepted -> handshake complete
  milliseconds request_head{15000};   // accepted, or first byte of a later head -> head complete
  milliseconds body_idle{60000};      // waiting for body bytes -> some arrive
  std::uint64_t body_minimum_rate = 240;  // bytes a second on average after a grace; 0: none
  milliseconds write_idle{60000};     // bytes to write -> the client takes some
  milliseconds keep_alive{75000};     // response complete -> first byte of the next head
  milliseconds tunnel_idle{3600000};  // last byte in either direction -> the next
};

struct ServingSettings {
  http::RequestRules request;
  // An app may say more than a client: long policies, many cookies.
  http::HeadLimits response{8192, 49152, 500};
  http::ChunkLimits chunks;
  ForwardedRules forwarded;
  Deadlines deadlines;
  bool replay = true;  // send a request again that a reused connection lost
};

// Which bodies go into the log.
struct BodyLogSettings {
  bool enabled = false;
  std::size_t max_size = 4096;
  std::vector<std::string> content_types;  // `application/json`, `text/*`, `*+json`, lower case
};

struct RouteSettings {
  std::string path = "/*";            // `/login`, `/api/*`, `/items/{id}`
  std::vector<std::string> methods;   // empty: every method
  std::string host;                   // lower case, `*.example.com`; empty: every host
  std::uint64_t body_limit = std::uint64_t{10} << 20;
  milliseconds first_byte_timeout{60000};  // request sent -> first byte of the response
  milliseconds read_idle_timeout{60000};   // waiting for response bytes -> some arrive; 0: none
  BodyLogSettings log_bodies;
};

}  // namespace gatehouse::proxy
