// The chunked coding (RFC 9112 7.1), decoded strictly: at most 16 hexadecimal digits for a size, CRLF everywhere,
// extensions well-formed and bounded, trailers judged like fields. llhttp reads chunks as well, but the version in
// Debian 12 takes a bare LF for a line end and does not bound extensions.
#pragma once

#include "http/head_error.hpp"

#include <gatehouse/message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::http {

struct ChunkLimits {
  std::size_t extension_bytes = 1024;  // of the whole body
  std::size_t trailer_bytes = 4096;
};

class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(ChunkLimits limits = {}) noexcept : limits_(limits) {}

  struct Step {
    std::size_t consumed = 0;  // bytes of the input that are done with, payload included
    std::string_view payload;  // part of the input; empty when there is none in this step
  };
  // Decodes up to the end of the input, of a chunk's data, or of the body. Call again while input is left and neither
  // done() nor error().
  Step feed(std::string_view input);

  bool done() const noexcept { return state_ == State::kDone; }
  std::optional<HeadError> error() const noexcept { return error_; }
  // The trailer section as it came, without the final empty line; complete when done(). See parse_trailers().
  std::string_view trailer_section() const noexcept { return trailers_; }

 private:
  enum class State : std::uint8_t {
    kSizeFirst,
    kSize,
    kExtension,
    kQuoted,
    kQuotedPair,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailerLine,
    kTrailerLf,
    kEndLf,
    kDone
  };
  void fail(HeadError error) noexcept { error_ = error; }
  void step(char c);
  void keep_trailer(char c);

  ChunkLimits limits_;
  State state_ = State::kSizeFirst;
  std::optional<HeadError> error_;
  std::uint64_t remaining_ = 0;
  unsigned size_digits_ = 0;
  std::size_t extension_bytes_ = 0;
  std::string trailers_;
};

// Adds the fields of a trailer section to `trailers`, leaving out those that may not stand there because they frame,
// route or authenticate (RFC 9110 6.5.1). False when a line is malformed.
bool parse_trailers(std::string_view section, Headers& trailers);

}  // namespace gatehouse::http
