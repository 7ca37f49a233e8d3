#include "http/head_error.hpp"

namespace gatehouse::http {
namespace {

struct Row {
  std::string_view name;
  int status;
  std::string_view title;
};

// One switch without a default: a new reason does not compile until it is described here.
constexpr Row row(HeadError error) noexcept {
  switch (error) {
    case HeadError::malformed_request_line:
      return {"malformed_request_line", 400, "The request line is malformed"};
    case HeadError::unknown_method:
      return {"unknown_method", 501, "The method is not known"};
    case HeadError::unsupported_version:
      return {"unsupported_version", 505, "Only HTTP/1.0 and HTTP/1.1 are spoken here"};
    case HeadError::http2_preface:
      return {"http2_preface", 505, "HTTP/2 is not spoken here"};
    case HeadError::tls_on_plain_port:
      return {"tls_on_plain_port", 400, "This port speaks plain HTTP, not TLS"};
    case HeadError::target_too_long:
      return {"target_too_long", 414, "The request target is too long"};
    case HeadError::malformed_target:
      return {"malformed_target", 400, "The request target is malformed"};
    case HeadError::encoded_nul_in_path:
      return {"encoded_nul_in_path", 400, "The path holds an encoded NUL"};
    case HeadError::encoded_slash_in_path:
      return {"encoded_slash_in_path", 400, "The path holds an encoded slash"};
    case HeadError::dot_segment_in_path:
      return {"dot_segment_in_path", 400, "The path holds a dot segment"};
    case HeadError::backslash_in_path:
      return {"backslash_in_path", 400, "The path holds a backslash"};
    case HeadError::connect_refused:
      return {"connect_refused", 405, "CONNECT is not served here"};
    case HeadError::trace_refused:
      return {"trace_refused", 405, "TRACE is not served here"};
    case HeadError::authority_mismatch:
      return {"authority_mismatch", 400, "Host and target name different hosts"};
    case HeadError::bare_line_feed:
      return {"bare_line_feed", 400, "A line ends in a bare LF"};
    case HeadError::bare_carriage_return:
      return {"bare_carriage_return", 400, "The head holds a bare CR"};
    case HeadError::folded_field:
      return {"folded_field", 400, "A field is folded over several lines"};
    case HeadError::malformed_field:
      return {"malformed_field", 400, "A field line is malformed"};
    case HeadError::control_byte:
      return {"control_byte", 400, "The head holds a control byte"};
    case HeadError::repeated_field:
      return {"repeated_field", 400, "A field that may occur once is repeated"};
    case HeadError::ambiguous_head:
      return {"ambiguous_head", 400, "The head can be read in two ways"};
    case HeadError::head_too_large:
      return {"head_too_large", 431, "The header fields are too large"};
    case HeadError::too_many_fields:
      return {"too_many_fields", 431, "There are too many header fields"};
    case HeadError::missing_host:
      return {"missing_host", 400, "The Host field is missing"};
    case HeadError::malformed_host:
      return {"malformed_host", 400, "The Host field is malformed"};
    case HeadError::repeated_host:
      return {"repeated_host", 400, "The Host field is repeated"};
    case HeadError::unknown_expectation:
      return {"unknown_expectation", 417, "The expectation cannot be met"};
    case HeadError::length_and_coding:
      return {"length_and_coding", 400, "Content-Length and Transfer-Encoding exclude each other"};
    case HeadError::invalid_content_length:
      return {"invalid_content_length", 400, "Content-Length is not a number"};
    case HeadError::conflicting_content_length:
      return {"conflicting_content_length", 400, "Content-Length is repeated"};
    case HeadError::unknown_transfer_coding:
      return {"unknown_transfer_coding", 400, "The transfer coding is not chunked"};
    case HeadError::chunked_not_final:
      return {"chunked_not_final", 400, "Chunked is not the one and only transfer coding"};
    case HeadError::coding_in_http_1_0:
      return {"coding_in_http_1_0", 400, "HTTP/1.0 has no transfer codings"};
    case HeadError::malformed_chunk:
      return {"malformed_chunk", 400, "A chunk is malformed"};
    case HeadError::chunk_extension_too_long:
      return {"chunk_extension_too_long", 400, "The chunk extensions are too long"};
    case HeadError::malformed_trailer:
      return {"malformed_trailer", 400, "A trailer field is malformed"};
    case HeadError::trailers_too_large:
      return {"trailers_too_large", 431, "The trailer fields are too large"};
    case HeadError::body_too_large:
      return {"body_too_large", 413, "The request body is too large"};
    case HeadError::malformed_status_line:
      return {"malformed_status_line", 502, "The app's status line is malformed"};
    case HeadError::unexpected_informational:
      return {"unexpected_informational", 502, "The app sends interim answers only"};
    case HeadError::unexpected_switch:
      return {"unexpected_switch", 502, "The app switches protocols unasked"};
  }
  return {"unknown", 400, "The message is malformed"};
}

}  // namespace

std::string_view name(HeadError error) noexcept { return row(error).name; }
int status(HeadError error) noexcept { return row(error).status; }
std::string_view title(HeadError error) noexcept { return row(error).title; }

}  // namespace gatehouse::http
