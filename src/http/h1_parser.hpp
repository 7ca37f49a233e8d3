// Heads of HTTP/1.x messages: bytes to judged messages, no sockets. A head is scanned for its end as bytes arrive, then
// read line by line and shown to llhttp, which must find it well-formed as well. Views in the result point into the
// bytes given, which must stay where they are for the life of the message. What was decided and why: README.md.
#pragma once

#include "http/framing.hpp"
#include "http/head_error.hpp"
#include "http/target.hpp"

#include <gatehouse/message.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::http {

enum class Side : std::uint8_t { kRequest, kResponse };

struct HeadLimits {
  std::size_t first_line_bytes = 8192;  // of the request target; a status line may be as long
  std::size_t field_bytes = 16384;      // all field lines together
  std::size_t field_count = 100;

  // The longest head that can be accepted, and a byte more: a read buffer of this size never fills up before the
  // scanner has decided.
  std::size_t head_bytes() const noexcept { return first_line_bytes + kFirstLineExtra + field_bytes + 5; }
  // Method, version, spaces and line end beside the target.
  static constexpr std::size_t kFirstLineExtra = 64;
};

// Finds the end of a head in bytes that arrive in pieces, and refuses early what can never become one.
class HeadScanner {
 public:
  explicit HeadScanner(Side side) noexcept : side_(side) {}

  struct Result {
    bool complete = false;
    std::optional<HeadError> error;
    std::size_t begin = 0;  // an empty line before a request is skipped (RFC 9112 2.2)
    std::size_t end = 0;    // behind the empty line that ends the head
  };
  // `bytes`: everything received from the message's first byte on.
  Result scan(std::string_view bytes, const HeadLimits& limits) noexcept;

 private:
  Side side_;
  std::size_t begin_ = 0;
  std::size_t line_ = 0;        // start of the current line
  std::size_t first_line_ = 0;  // length of the first line with its end, once known
  std::size_t next_ = 0;        // first byte not looked at
};

struct RequestRules {
  HeadLimits limits;
  TargetPolicy target;
  // Names with "_" or "." that may pass although apps fold them into others (`X_Forwarded_For`); compared without case.
  std::vector<std::string> allowed_names;
};

// What a request head says beyond the request itself.
struct RequestHead {
  Framing framing;
  bool keep_alive = true;  // what the client wants (RFC 9112 9.3)
  bool expects_continue = false;
  std::string_view upgrade;  // "websocket" where the client asks to switch to it, else empty
  std::size_t dropped_names = 0;
  std::string_view target;  // as sent, for records; may be set although the head was refused
};

// Reads `head`, exactly one complete head, into `request`. Fields of this hop alone are gone from it afterwards (see
// hop_by_hop.hpp), all but a TE that speaks of trailers: what they said is in `out`.
std::optional<HeadError> parse_request_head(std::string_view head, const RequestRules& rules, Request& request,
                                            RequestHead& out);

struct ResponseHead {
  Framing framing;
  bool keep_alive = true;  // another request may follow on the connection, and what comes then will be its answer
  unsigned minor_version = 1;
  std::string_view upgrade;  // "websocket" where the app names it, else empty
};

// The same for a response, whose fields are all kept; `method` is that of the request it answers.
std::optional<HeadError> parse_response_head(std::string_view head, const HeadLimits& limits, Method method,
                                             Response& response, ResponseHead& out);

}  // namespace gatehouse::http
