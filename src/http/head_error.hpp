// Why a message was refused: one enumerator for each reason, with its name for records and metrics and the status a
// client gets for it. The only list of such reasons.
#pragma once

#include <cstdint>
#include <string_view>

namespace gatehouse::http {

enum class HeadError : std::uint8_t {
  // request line (RFC 9112 3)
  malformed_request_line,
  unknown_method,
  unsupported_version,
  http2_preface,
  tls_on_plain_port,
  target_too_long,
  malformed_target,
  encoded_nul_in_path,
  encoded_slash_in_path,
  dot_segment_in_path,
  backslash_in_path,
  connect_refused,
  trace_refused,
  authority_mismatch,
  // fields (RFC 9110 5, 9112 5)
  bare_line_feed,
  bare_carriage_return,
  folded_field,
  malformed_field,
  control_byte,
  repeated_field,
  ambiguous_head,
  head_too_large,
  too_many_fields,
  missing_host,
  malformed_host,
  repeated_host,
  unknown_expectation,
  // framing (RFC 9112 6)
  length_and_coding,
  invalid_content_length,
  conflicting_content_length,
  unknown_transfer_coding,
  chunked_not_final,
  coding_in_http_1_0,
  // body (RFC 9112 7)
  malformed_chunk,
  chunk_extension_too_long,
  malformed_trailer,
  trailers_too_large,
  body_too_large,
  // responses (RFC 9112 4)
  malformed_status_line,
  unexpected_informational,
  unexpected_switch,
};

// snake_case, a literal.
std::string_view name(HeadError error) noexcept;
// The status a client gets when its request was refused for that.
int status(HeadError error) noexcept;
// A sentence for people; carries nothing of the message.
std::string_view title(HeadError error) noexcept;

}  // namespace gatehouse::http
