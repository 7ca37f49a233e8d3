#include "http/chunked.hpp"

#include "http/syntax.hpp"

#include <algorithm>

namespace gatehouse::http {

ChunkedDecoder::Step ChunkedDecoder::feed(std::string_view input) {
  std::size_t at = 0;
  while (at < input.size() && !error_ && state_ != State::kDone) {
    if (state_ == State::kData) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size() - at));
      remaining_ -= size;
      if (remaining_ == 0) state_ = State::kDataCr;
      return {at + size, input.substr(at, size)};
    }
    step(input[at++]);
  }
  return {at, {}};
}

void ChunkedDecoder::keep_trailer(char c) {
  if (trailers_.size() >= limits_.trailer_bytes) return fail(HeadError::trailers_too_large);
  trailers_.push_back(c);
}

void ChunkedDecoder::step(char c) {
  switch (state_) {
    case State::kSizeFirst:
      remaining_ = 0;
      if (!is(kHexDigit, c)) return fail(HeadError::malformed_chunk);
      remaining_ = hex_value(c);
      size_digits_ = 1;
      state_ = State::kSize;
      return;
    case State::kSize:
      if (is(kHexDigit, c)) {
        // No body is that long: refusing early keeps sums far from overflow. Zeros in front would go on for ever.
        if (remaining_ >> 52 != 0 || ++size_digits_ > 16) return fail(HeadError::malformed_chunk);
        remaining_ = remaining_ * 16 + hex_value(c);
        return;
      }
      if (c == ';')
        state_ = State::kExtension;
      else if (c == '\r')
        state_ = State::kSizeLf;
      else
        return fail(HeadError::malformed_chunk);
      return;
    case State::kExtension:
    case State::kQuoted:
    case State::kQuotedPair:
      if (++extension_bytes_ > limits_.extension_bytes) return fail(HeadError::chunk_extension_too_long);
      if (state_ == State::kExtension && c == '\r') {
        state_ = State::kSizeLf;
        return;
      }
      if (!is(kFieldByte, c)) return fail(HeadError::malformed_chunk);
      if (state_ == State::kQuotedPair)
        state_ = State::kQuoted;
      else if (c == '"')
        state_ = state_ == State::kQuoted ? State::kExtension : State::kQuoted;
      else if (c == '\\' && state_ == State::kQuoted)
        state_ = State::kQuotedPair;
      return;
    case State::kSizeLf:
      if (c != '\n') return fail(HeadError::malformed_chunk);
      state_ = remaining_ == 0 ? State::kTrailerStart : State::kData;
      return;
    case State::kDataCr:
      if (c != '\r') return fail(HeadError::malformed_chunk);
      state_ = State::kDataLf;
      return;
    case State::kDataLf:
      if (c != '\n') return fail(HeadError::malformed_chunk);
      state_ = State::kSizeFirst;
      return;
    case State::kTrailerStart:
      if (c == '\r') {
        state_ = State::kEndLf;
        return;
      }
      state_ = State::kTrailerLine;
      [[fallthrough]];
    case State::kTrailerLine:
      if (c == '\r')
        state_ = State::kTrailerLf;
      else if (!is(kFieldByte, c))
        return fail(HeadError::malformed_trailer);
      return keep_trailer(c);
    case State::kTrailerLf:
      if (c != '\n') return fail(HeadError::malformed_trailer);
      state_ = State::kTrailerStart;
      return keep_trailer(c);
    case State::kEndLf: {
      if (c != '\n') return fail(HeadError::malformed_trailer);
      if (!trailers_.empty()) {
        Arena scratch(512);
        Headers judged(scratch);
        if (!parse_trailers(trailers_, judged)) return fail(HeadError::malformed_trailer);
      }
      state_ = State::kDone;
      return;
    }
    case State::kData:
    case State::kDone:
      return;
  }
}

namespace {

// RFC 9110 6.5.1: fields that frame, route, modify, authenticate or describe the message before its body is read. Some
// readers merge trailers into the head: what the head may not be told late, or what was judged there, is left out.
bool may_be_trailer(std::string_view name) noexcept {
  switch (field_id(name)) {
    case FieldId::accept:
    case FieldId::access_control_request_headers:
    case FieldId::access_control_request_method:
    case FieldId::age:
    case FieldId::authorization:
    case FieldId::cache_control:
    case FieldId::connection:
    case FieldId::content_encoding:
    case FieldId::content_length:
    case FieldId::content_type:
    case FieldId::cookie:
    case FieldId::date:
    case FieldId::expect:
    case FieldId::forwarded:
    case FieldId::host:
    case FieldId::keep_alive:
    case FieldId::origin:
    case FieldId::proxy_authenticate:
    case FieldId::proxy_authorization:
    case FieldId::proxy_connection:
    case FieldId::referer:
    case FieldId::retry_after:
    case FieldId::set_cookie:
    case FieldId::te:
    case FieldId::traceparent:
    case FieldId::tracestate:
    case FieldId::trailer:
    case FieldId::transfer_encoding:
    case FieldId::upgrade:
    case FieldId::user_agent:
    case FieldId::vary:
    case FieldId::via:
    case FieldId::x_forwarded_for:
    case FieldId::x_forwarded_host:
    case FieldId::x_forwarded_port:
    case FieldId::x_forwarded_proto:
    case FieldId::x_real_ip:
    case FieldId::x_request_id:
      return false;
    case FieldId::server:
    case FieldId::other:
      break;
  }
  constexpr std::string_view kNames[] = {"content-location", "content-range", "expires", "location",
                                         "max-forwards",     "pragma",        "range",   "www-authenticate"};
  constexpr std::string_view kPrefixes[] = {"access-control-", "if-", "sec-", "x-forwarded-"};
  for (const auto forbidden : kNames)
    if (equals_ignoring_case(name, forbidden)) return false;
  for (const auto prefix : kPrefixes)
    if (equals_ignoring_case(name.substr(0, prefix.size()), prefix)) return false;
  return name.find_first_of("_.") == std::string_view::npos;
}

}  // namespace

bool parse_trailers(std::string_view section, Headers& trailers) {
  while (!section.empty()) {
    const std::size_t end = section.find("\r\n");
    if (end == std::string_view::npos) return false;
    const auto line = section.substr(0, end);
    section.remove_prefix(end + 2);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
    const auto name = line.substr(0, colon);
    if (may_be_trailer(name)) trailers.add(name, trim(line.substr(colon + 1)));
  }
  return true;
}

}  // namespace gatehouse::http
