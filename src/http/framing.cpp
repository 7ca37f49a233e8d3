#include "http/framing.hpp"

#include "http/syntax.hpp"

namespace gatehouse::http {
namespace {

FramingVerdict judge(const Headers& headers, unsigned minor_version, Framing::Kind without) {
  const Field* length = nullptr;
  const Field* coding = nullptr;
  for (const Field& field : headers) {
    if (field.id == FieldId::content_length) {
      if (length != nullptr) return {{}, HeadError::conflicting_content_length};
      length = &field;
    } else if (field.id == FieldId::transfer_encoding) {
      if (coding != nullptr) return {{}, HeadError::chunked_not_final};
      coding = &field;
    }
  }
  if (coding != nullptr) {
    if (length != nullptr) return {{}, HeadError::length_and_coding};
    if (minor_version == 0) return {{}, HeadError::coding_in_http_1_0};
    if (!equals_ignoring_case(coding->value, "chunked")) {
      const bool chunked_inside = coding->value.find(',') != std::string_view::npos;
      return {{}, chunked_inside ? HeadError::chunked_not_final : HeadError::unknown_transfer_coding};
    }
    return {{Framing::Kind::kChunked, 0}, std::nullopt};
  }
  if (length != nullptr) {
    const auto value = parse_decimal(length->value);
    if (!value) return {{}, HeadError::invalid_content_length};
    return {{Framing::Kind::kLength, *value}, std::nullopt};
  }
  return {{without, 0}, std::nullopt};
}

}  // namespace

FramingVerdict judge_request_framing(const Headers& headers, unsigned minor_version) {
  return judge(headers, minor_version, Framing::Kind::kNone);
}

FramingVerdict judge_response_framing(const Headers& headers, unsigned minor_version, int status, Method method) {
  FramingVerdict verdict = judge(headers, minor_version, Framing::Kind::kUntilClose);
  // RFC 9112 6.3: these have no body; a field that says otherwise describes what GET would have brought.
  const bool bodiless = method == Method::kHead || status / 100 == 1 || status == 204 || status == 304;
  if (bodiless && !verdict.error) {
    const auto [kind, length] = verdict.framing;
    verdict.body_announced = kind == Framing::Kind::kChunked || (kind == Framing::Kind::kLength && length != 0);
    verdict.framing = {};
  }
  return verdict;
}

}  // namespace gatehouse::http
