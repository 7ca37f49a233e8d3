// Where a message ends (RFC 9112 6): one answer, or a refusal. Stricter than the RFC where it leaves room: a length
// beside a coding, a list of lengths and every coding but a single "chunked" are refused.
#pragma once

#include "http/head_error.hpp"

#include <gatehouse/message.hpp>

#include <optional>

namespace gatehouse::http {

struct Framing {
  enum class Kind : std::uint8_t { kNone, kLength, kChunked, kUntilClose };
  Kind kind = Kind::kNone;
  std::uint64_t length = 0;  // of kLength
};

struct FramingVerdict {
  Framing framing;
  std::optional<HeadError> error;
  // A response that has no body speaks of one all the same, as answers to HEAD do. Apps that send it nevertheless, and they are not few, would
  // answer the next request on the connection with it.
  bool body_announced = false;
};

FramingVerdict judge_request_framing(const Headers& headers, unsigned minor_version);
// `method` is the request's: answers to HEAD have no body, whatever their fields say.
FramingVerdict judge_response_framing(const Headers& headers, unsigned minor_version, int status, Method method);

}  // namespace gatehouse::http
