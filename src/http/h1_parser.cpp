#include "http/h1_parser.hpp"

#include "http/syntax.hpp"

#include <algorithm>
#include <cstring>
#include <llhttp.h>

namespace gatehouse::http {

HeadScanner::Result HeadScanner::scan(std::string_view bytes, const HeadLimits& limits) noexcept {
  const auto refuse = [](HeadError error) {
    Result result;
    result.error = error;
    return result;
  };
  if (side_ == Side::kRequest && next_ == 0 && !bytes.empty() && bytes.front() == 0x16)
    return refuse(HeadError::tls_on_plain_port);
  while (next_ < bytes.size()) {
    const void* found = std::memchr(bytes.data() + next_, '\n', bytes.size() - next_);
    const std::size_t here = found != nullptr ? static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data()) : bytes.size();
    const std::size_t end = std::min(here + 1, bytes.size());
    if (first_line_ == 0 && end - begin_ > limits.first_line_bytes + HeadLimits::kFirstLineExtra)
      return refuse(side_ == Side::kRequest ? HeadError::target_too_long : HeadError::head_too_large);
    if (first_line_ != 0 && end - begin_ - first_line_ > limits.field_bytes + 2) return refuse(HeadError::head_too_large);
    next_ = end;
    if (found == nullptr) break;
    if (here == line_ || bytes[here - 1] != '\r') return refuse(HeadError::bare_line_feed);
    const bool empty = here - 1 == line_;
    line_ = end;
    if (empty && first_line_ == 0) {
      if (begin_ != 0 || side_ == Side::kResponse) return refuse(HeadError::malformed_request_line);
      begin_ = end;
      continue;
    }
    if (empty) {
      Result result;
      result.complete = true;
      result.begin = begin_;
      result.end = end;
      return result;
    }
    if (first_line_ == 0) first_line_ = end - begin_;
  }
  return {};
}

namespace {

// Every line of the head but the first: a name, a colon, a value, and nothing that another reader might take differently.
std::optional<HeadError> check_fields(std::string_view lines) noexcept {
  while (lines.size() > 2) {
    const std::size_t end = lines.find('\n');  // the scanner has seen to it that each LF follows a CR
    const auto line = lines.substr(0, end - 1);
    lines.remove_prefix(end + 1);
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') return HeadError::folded_field;
    std::size_t colon = 0;
    while (colon < line.size() && is(kToken, line[colon])) ++colon;
    const bool named = colon > 0 && colon < line.size() && line[colon] == ':';
    for (std::size_t i = named ? colon + 1 : 0; i < line.size(); ++i)
      if (!is(kFieldByte, line[i])) return line[i] == '\r' ? HeadError::bare_carriage_return : HeadError::control_byte;
    if (!named) return HeadError::malformed_field;
  }
  return std::nullopt;
}

struct Collector {
  Headers* headers;
  std::size_t limit;
  std::size_t seen = 0;
  std::string_view name;
  bool too_many = false;
};

Collector& collector(llhttp_t* parser) noexcept { return *static_cast<Collector*>(parser->data); }

const llhttp_settings_t& settings() noexcept {
  static const llhttp_settings_t kSettings = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_header_field = [](llhttp_t* parser, const char* at, std::size_t size) {
      collector(parser).name = {at, size};
      return 0;
    };
    made.on_header_value = [](llhttp_t* parser, const char* at, std::size_t size) {
      Collector& fields = collector(parser);
      if (++fields.seen > fields.limit) {
        fields.too_many = true;
        return -1;
      }
      fields.headers->add_view(fields.name, trim({at, size}));
      return 0;
    };
    // The body is not llhttp's business here: whatever the framing, it stops behind the head.
    made.on_headers_complete = [](llhttp_t*) -> int { return HPE_PAUSED; };
    return made;
  }();
  return kSettings;
}

HeadError reason_of(llhttp_errno_t error, Side side) noexcept {
  switch (error) {
    case HPE_INVALID_METHOD: return HeadError::unknown_method;
    case HPE_INVALID_VERSION: return HeadError::unsupported_version;
    case HPE_INVALID_URL: return HeadError::malformed_target;
    case HPE_INVALID_STATUS: return HeadError::malformed_status_line;
    case HPE_INVALID_CONTENT_LENGTH: return HeadError::invalid_content_length;
    case HPE_UNEXPECTED_CONTENT_LENGTH: return HeadError::conflicting_content_length;
    case HPE_INVALID_TRANSFER_ENCODING: return HeadError::unknown_transfer_coding;
    case HPE_INVALID_CONSTANT: return side == Side::kRequest ? HeadError::malformed_request_line : HeadError::malformed_status_line;
    default: return HeadError::malformed_field;
  }
}

// Lets llhttp read the head and collects its fields.
std::optional<HeadError> read_fields(std::string_view head, Side side, std::size_t field_limit, Headers& headers) {
  Collector fields{&headers, field_limit, 0, {}, false};
  llhttp_t parser;
  llhttp_init(&parser, side == Side::kRequest ? HTTP_REQUEST : HTTP_RESPONSE, &settings());
  parser.data = &fields;
  // Length beside coding is refused by judge_request_framing(), which can say so.
  llhttp_set_lenient_chunked_length(&parser, 1);
  const llhttp_errno_t error = llhttp_execute(&parser, head.data(), head.size());
  if (fields.too_many) return HeadError::too_many_fields;
  if (error != HPE_OK && error != HPE_PAUSED && error != HPE_PAUSED_UPGRADE && error != HPE_CB_HEADERS_COMPLETE)
    return reason_of(error, side);
  return std::nullopt;
}

struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};

ConnectionOptions connection_options(const Headers& headers) noexcept {
  ConnectionOptions options;
  for (const Field& field : headers) {
    if (field.id != FieldId::connection) continue;
    for_each_element(field.value, [&](std::string_view option) {
      options.close = options.close || equals_ignoring_case(option, "close");
      options.keep_alive = options.keep_alive || equals_ignoring_case(option, "keep-alive");
      options.upgrade = options.upgrade || equals_ignoring_case(option, "upgrade");
      return true;
    });
  }
  return options;
}

// The protocol an Upgrade field asks for, where it is one that can be passed on: h2c would let a client talk past the
// filters.
std::string_view upgrade_of(const Headers& headers, const ConnectionOptions& options) noexcept {
  if (!options.upgrade || headers.count(FieldId::upgrade) != 1) return {};
  const auto protocol = headers.value(FieldId::upgrade);
  const bool one_token = is_token(protocol.substr(0, protocol.find('/')));
  return one_token && protocol.find(',') == std::string_view::npos && !equals_ignoring_case(protocol, "h2c")
             ? protocol
             : std::string_view{};
}

// A version is a digit, a dot and a digit (RFC 9112 2.3); 1.0 and 1.1 are spoken here.
std::optional<HeadError> judge_version(std::string_view version, HeadError malformed, unsigned& minor) noexcept {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != 8 || !version.starts_with("HTTP/") || !digit(version[5]) || version[6] != '.' || !digit(version[7]))
    return malformed;
  if (version[5] != '1' || version[7] > '1') return HeadError::unsupported_version;
  minor = version[7] == '1' ? 1 : 0;
  return std::nullopt;
}

struct MethodName {
  std::string_view name;
  Method method;
};
constexpr MethodName kMethods[] = {
    {"GET", Method::kGet},         {"POST", Method::kPost},       {"PUT", Method::kPut},
    {"HEAD", Method::kHead},       {"DELETE", Method::kDelete},   {"PATCH", Method::kPatch},
    {"OPTIONS", Method::kOptions}, {"CONNECT", Method::kConnect}, {"TRACE", Method::kTrace},
};

std::optional<HeadError> judge_request_line(std::string_view line, const RequestRules& rules, Request& request,
                                            RequestHead& out) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  for (const char c : line)
    if (!is(kFieldByte, c) || c == '\t')
      return c == '\r' ? HeadError::bare_carriage_return : c == '\t' ? HeadError::malformed_request_line : HeadError::control_byte;
  if (first == std::string_view::npos || first == last) return HeadError::malformed_request_line;
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (line == "PRI * HTTP/2.0") return HeadError::http2_preface;
  if (!is_token(method) || target.empty() || target.find(' ') != std::string_view::npos)
    return HeadError::malformed_request_line;
  if (const auto error = judge_version(version, HeadError::malformed_request_line, request.minor_version)) return error;
  if (target.size() > rules.limits.first_line_bytes) return HeadError::target_too_long;
  out.target = target;
  request.method_text = method;
  request.method = Method::kOther;
  for (const MethodName& known : kMethods)
    if (known.name == method) request.method = known.method;
  return judge_target(target, rules.target, request);
}

// Fields of which a second one would let two readers see two messages.
constexpr bool may_occur_once(FieldId id) noexcept {
  switch (id) {
    case FieldId::authorization:
    case FieldId::content_type:
    case FieldId::expect:
    case FieldId::origin:
    case FieldId::proxy_authorization:
    case FieldId::referer:
    case FieldId::user_agent: return true;
    default: return false;
  }
}

std::optional<HeadError> judge_repeats(const Headers& headers) noexcept {
  std::uint64_t seen = 0;
  for (const Field& field : headers) {
    if (!may_occur_once(field.id)) continue;
    const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(field.id);
    if ((seen & bit) != 0) return HeadError::repeated_field;
    seen |= bit;
  }
  return std::nullopt;
}

std::optional<HeadError> judge_host(const Headers& headers, Request& request) noexcept {
  const Field* host = nullptr;
  for (const Field& field : headers)
    if (field.id == FieldId::host) {
      if (host != nullptr) return HeadError::repeated_host;
      host = &field;
    }
  if (host == nullptr) return request.minor_version == 1 ? std::optional(HeadError::missing_host) : std::nullopt;
  if (!valid_authority(host->value)) return HeadError::malformed_host;
  if (!request.authority.empty() && !equals_ignoring_case(request.authority, host->value))
    return HeadError::authority_mismatch;
  request.authority = host->value;
  return std::nullopt;
}

// Apps behind CGI-like interfaces read `X_Real_IP` and `X.Real.IP` as `X-Real-IP`: such names would get past every rule that
// speaks of the real one.
std::size_t drop_ambiguous_names(Headers& headers, const std::vector<std::string>& allowed) {
  return headers.remove_if([&](const Field& field) {
    if (field.id != FieldId::other || field.name.find_first_of("_.") == std::string_view::npos) return false;
    return std::none_of(allowed.begin(), allowed.end(),
                        [&](const std::string& name) { return equals_ignoring_case(name, field.name); });
  });
}

}  // namespace

std::optional<HeadError> parse_request_head(std::string_view head, const RequestRules& rules, Request& request,
                                            RequestHead& out) {
  const std::size_t line_end = head.find('\n');
  if (const auto error = judge_request_line(head.substr(0, line_end - 1), rules, request, out)) return error;
  if (const auto error = check_fields(head.substr(line_end + 1))) return error;
  if (const auto error = read_fields(head, Side::kRequest, rules.limits.field_count, request.headers)) return error;
  if (const auto error = judge_host(request.headers, request)) return error;
  if (const auto error = judge_repeats(request.headers)) return error;
  const FramingVerdict verdict = judge_request_framing(request.headers, request.minor_version);
  if (verdict.error) return verdict.error;
  out.framing = verdict.framing;
  if (const Field* expect = request.headers.find(FieldId::expect)) {
    if (!equals_ignoring_case(expect->value, "100-continue")) return HeadError::unknown_expectation;
    out.expects_continue = request.minor_version == 1;
  }
  const ConnectionOptions options = connection_options(request.headers);
  out.keep_alive = !options.close && (request.minor_version == 1 || options.keep_alive);
  out.upgrade = upgrade_of(request.headers, options);
  out.dropped_names = drop_ambiguous_names(request.headers, rules.allowed_names);
  return std::nullopt;
}

std::optional<HeadError> parse_response_head(std::string_view head, const HeadLimits& limits, Method method,
                                             Response& response, ResponseHead& out) {
  const std::size_t line_end = head.find('\n');
  const auto line = head.substr(0, line_end - 1);
  for (const char c : line)
    if (!is(kFieldByte, c)) return HeadError::malformed_status_line;
  // HTTP-version SP 3DIGIT SP [reason]; the space before an empty reason is often left out.
  if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) return HeadError::malformed_status_line;
  if (const auto error = judge_version(line.substr(0, 8), HeadError::malformed_status_line, out.minor_version)) return error;
  const auto code = parse_decimal(line.substr(9, 3));
  if (!code || *code < 100 || *code > 599) return HeadError::malformed_status_line;
  response.status = static_cast<int>(*code);
  if (const auto error = check_fields(head.substr(line_end + 1))) return error;
  if (const auto error = read_fields(head, Side::kResponse, limits.field_count, response.headers)) return error;
  const FramingVerdict verdict = judge_response_framing(response.headers, out.minor_version, response.status, method);
  if (verdict.error) return verdict.error;
  out.framing = verdict.framing;
  const ConnectionOptions options = connection_options(response.headers);
  out.keep_alive = !options.close && (out.minor_version == 1 || options.keep_alive) &&
                   out.framing.kind != Framing::Kind::kUntilClose;
  out.upgrade = upgrade_of(response.headers, options);
  return std::nullopt;
}

}  // namespace gatehouse::http
