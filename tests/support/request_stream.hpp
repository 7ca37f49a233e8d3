// Reads a stream of client bytes as a session does, without sockets: what the app would get for it, and how it ends.
#pragma once

#include "http/chunked.hpp"
#include "http/h1_parser.hpp"
#include "http/h1_writer.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::http {

// One request as it is sent to the app.
struct WireRequest {
  std::string head;
  std::string body;      // decoded
  std::string trailers;  // of a chunked body: its trailer section with the final empty line
  bool chunked = false;

  bool operator==(const WireRequest&) const = default;
  // The request's bytes, a chunked body as one chunk.
  std::string bytes() const {
    if (!chunked) return head + body;
    std::array<char, 20> size;
    std::string text = head;
    if (!body.empty()) text.append(write_chunk_size(body.size(), size)).append(body).append("\r\n");
    return text.append("0\r\n").append(trailers);
  }
};

struct StreamReading {
  std::vector<WireRequest> requests;
  std::optional<HeadError> error;
  bool closes = false;      // after the last answer
  bool unfinished = false;  // the bytes end within a request
};

// Takes bytes as they come and keeps the state between them.
class RequestStream {
 public:
  explicit RequestStream(const RequestRules& rules) : rules_(rules) {}

  void arrive(std::string_view bytes) {
    buffer_ += bytes;
    while (!over() && step()) {
    }
  }
  bool over() const noexcept { return reading_.error.has_value() || reading_.closes; }
  StreamReading end() {
    reading_.unfinished = !over() && (in_body_ || !buffer_.empty());
    return std::move(reading_);
  }

 private:
  // Does what can be done with the bytes that are here; false when more are needed, or at the end.
  bool step() { return in_body_ ? step_body() : step_head(); }

  bool step_head() {
    const auto found = scanner_.scan(buffer_, rules_.limits);
    if (found.error) return refuse(*found.error);
    if (!found.complete) return false;
    const std::string head = buffer_.substr(found.begin, found.end - found.begin);
    buffer_.erase(0, found.end);
    scanner_ = HeadScanner(Side::kRequest);
    Arena arena;
    Request request(arena);
    RequestHead out;
    if (const auto error = parse_request_head(head, rules_, request, out)) return refuse(*error);
    framing_ = out.framing;
    left_ = out.framing.length;
    keep_alive_ = out.keep_alive;
    decoder_ = ChunkedDecoder();
    request_ = {};
    request_.head = write_request_head(request, out.framing, "app", out.upgrade, arena);
    request_.chunked = framing_.kind == Framing::Kind::kChunked;
    in_body_ = true;
    return true;
  }

  bool step_body() {
    if (!(request_.chunked ? chunked_body() : plain_body())) return false;
    reading_.requests.push_back(std::move(request_));
    reading_.closes = !keep_alive_;
    in_body_ = false;
    return !buffer_.empty();
  }

  bool plain_body() {
    const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), left_));
    request_.body.append(buffer_, 0, some);
    buffer_.erase(0, some);
    left_ -= some;
    return left_ == 0;
  }

  bool chunked_body() {
    std::size_t at = 0;
    while (at < buffer_.size() && !decoder_.done() && !decoder_.error()) {
      const auto step = decoder_.feed(std::string_view(buffer_).substr(at));
      at += step.consumed;
      request_.body += step.payload;
    }
    buffer_.erase(0, at);
    if (decoder_.error()) return refuse(*decoder_.error());
    if (!decoder_.done()) return false;
    Arena arena;
    Headers trailers(arena);
    // Cannot fail: the decoder has judged the section.
    if (parse_trailers(decoder_.trailer_section(), trailers)) request_.trailers = write_trailers(trailers, arena);
    return true;
  }

  bool refuse(HeadError error) {
    reading_.error = error;
    reading_.closes = true;
    return false;
  }

  const RequestRules& rules_;
  StreamReading reading_;
  std::string buffer_;
  HeadScanner scanner_{Side::kRequest};
  ChunkedDecoder decoder_;
  Framing framing_;
  WireRequest request_;
  std::uint64_t left_ = 0;
  bool keep_alive_ = true;
  bool in_body_ = false;
};

// `step`: how many bytes arrive at a time.
inline StreamReading read_stream(std::string_view bytes, std::size_t step, const RequestRules& rules) {
  RequestStream stream(rules);
  for (; !bytes.empty() && !stream.over(); bytes.remove_prefix(std::min(step, bytes.size())))
    stream.arrive(bytes.substr(0, step));
  return stream.end();
}

}  // namespace gatehouse::http
