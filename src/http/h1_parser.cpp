#include "http/h1_parser.hpp"

#include "http/hop_by_hop.hpp"
#include "http/syntax.hpp"

#include <llhttp.h>
#include <algorithm>
#include <cstring>

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
    const std::size_t here =
        found != nullptr ? static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data()) : bytes.size();
    const std::size_t end = std::min(here + 1, bytes.size());
    if (first_line_ == 0 && end - begin_ > limits.first_line_bytes + HeadLimits::kFirstLineExtra)
      return refuse(side_ == Side::kRequest ? HeadError::target_too_long : HeadError::head_too_large);
    if (first_line_ != 0 && end - begin_ - first_line_ > limits.field_bytes + 2)
      return refuse(HeadError::head_too_large);
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

// Every line of the head but the first: a name, a colon, a value, and nothing that another reader might take
// differently.
std::optional<HeadError> read_fields(std::string_view lines, std::size_t limit, Headers& headers) {
  while (lines.size() > 2) {
    const std::size_t end = lines.find('\n');  // the scanner has seen to it that each LF follows a CR
    const auto line = lines.substr(0, end - 1);
    lines.remove_prefix(end + 1);
    if (line.front() == ' ' || line.front() == '\t') return HeadError::folded_field;
    const std::size_t colon = line.find(':');
    const auto name = line.substr(0, colon == std::string_view::npos ? 0 : colon);
    const FieldId id = field_id(name);
    const bool named = id != FieldId::other || is_token(name);  // known names are tokens
    const auto rest = named ? line.substr(colon + 1) : line;
    if (const std::size_t clean = field_bytes(rest); clean != rest.size())
      return rest[clean] == '\r' ? HeadError::bare_carriage_return : HeadError::control_byte;
    if (!named) return HeadError::malformed_field;
    if (headers.size() == limit) return HeadError::too_many_fields;
    headers.append({name, trim(rest), id});
  }
  return std::nullopt;
}

// A second reader, which may only say no: what the fields mean has been decided above, whatever its version thinks. The
// head comes in two parts so that a method it does not know can be replaced by one it does.
bool llhttp_agrees(Side side, std::string_view start, std::string_view rest) {
  static const llhttp_settings_t kSettings = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    // The body is not its business: whatever the framing, it stops behind the head.
    made.on_headers_complete = [](llhttp_t*) -> int { return HPE_PAUSED; };
    return made;
  }();
  llhttp_t parser;
  llhttp_init(&parser, side == Side::kRequest ? HTTP_REQUEST : HTTP_RESPONSE, &kSettings);
  return llhttp_execute(&parser, start.data(), start.size()) == HPE_OK &&
         llhttp_execute(&parser, rest.data(), rest.size()) == HPE_PAUSED;
}

struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};

ConnectionOptions connection_options(const Headers& headers) noexcept {
  ConnectionOptions options;
  if (!headers.may_have(FieldId::connection)) return options;
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

// What both sides of an upgrade call WebSocket. Any other protocol would let a client talk past the filters: over h2c
// it could even send further requests.
constexpr std::string_view kWebSocket = "websocket";

bool asks_for_websocket(const Headers& headers) noexcept {
  bool asks = false;
  for (const Field& field : headers)
    if (field.id == FieldId::upgrade)
      for_each_element(field.value, [&](std::string_view protocol) {
        asks = asks || equals_ignoring_case(protocol, kWebSocket);
        return true;
      });
  return asks;
}

// A version is a digit, a dot and a digit (RFC 9112 2.3); 1.0 and 1.1 are spoken here.
std::optional<HeadError> judge_version(std::string_view version, HeadError malformed, unsigned& minor) noexcept {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != 8 || !version.starts_with("HTTP/") || !digit(version[5]) || version[6] != '.' ||
      !digit(version[7]))
    return malformed;
  if (version[5] != '1' || version[7] > '1') return HeadError::unsupported_version;
  minor = version[7] == '1' ? 1 : 0;
  return std::nullopt;
}

// Apps disagree about other methods: some take `post` for POST, past every rule that speaks of POST.
bool plain_method(std::string_view method) noexcept {
  constexpr std::size_t kLongest = 32;
  return method.size() <= kLongest && std::all_of(method.begin(), method.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
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
      return c == '\r'   ? HeadError::bare_carriage_return
             : c == '\t' ? HeadError::malformed_request_line
                         : HeadError::control_byte;
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
  if (!plain_method(method)) return HeadError::unknown_method;
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
      return true;
    default:
      return false;
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

// Apps behind CGI-like interfaces read `X_Real_IP` and `X.Real.IP` as `X-Real-IP`: such names would get past every rule
// that speaks of the real one.
std::size_t drop_ambiguous_names(Headers& headers, const std::vector<std::string>& allowed) {
  return headers.remove_if([&](const Field& field) {
    if (field.id != FieldId::other || field.name.find_first_of("_.") == std::string_view::npos) return false;
    return std::none_of(allowed.begin(), allowed.end(),
                        [&](const std::string& name) { return equals_ignoring_case(name, field.name); });
  });
}

// Apps differ in which of several Cookie fields they read, and a client should send but one (RFC 6265 5.4). HTTP/2 may
// divide it, and says how it is put together again (RFC 9113 8.2.3).
void join_cookies(Headers& headers) {
  if (headers.count(FieldId::cookie) < 2) return;
  headers.set_view(FieldId::cookie, headers.joined(FieldId::cookie, "; "));
}

bool wants_trailers(const Headers& headers) noexcept {
  bool wants = false;
  if (!headers.may_have(FieldId::te)) return wants;
  for (const Field& field : headers)
    if (field.id == FieldId::te)
      for_each_element(field.value, [&](std::string_view coding) {
        wants = wants || equals_ignoring_case(coding, "trailers");
        return true;
      });
  return wants;
}

}  // namespace

std::optional<HeadError> parse_request_head(std::string_view head, const RequestRules& rules, Request& request,
                                            RequestHead& out) {
  const std::size_t line_end = head.find('\n');
  Headers& headers = request.headers;
  if (const auto error = judge_request_line(head.substr(0, line_end - 1), rules, request, out)) return error;
  if (const auto error = read_fields(head.substr(line_end + 1), rules.limits.field_count, headers)) return error;
  if (const auto error = judge_host(headers, request)) return error;
  if (const auto error = judge_repeats(headers)) return error;
  const FramingVerdict verdict = judge_request_framing(headers, request.minor_version);
  if (verdict.error) return verdict.error;
  out.framing = verdict.framing;
  if (const Field* expect = headers.find(FieldId::expect)) {
    if (!equals_ignoring_case(expect->value, "100-continue")) return HeadError::unknown_expectation;
    out.expects_continue = request.minor_version == 1;
  }
  const auto method = request.method == Method::kOther ? std::string_view("POST") : request.method_text;
  if (!llhttp_agrees(Side::kRequest, method, head.substr(request.method_text.size()))) return HeadError::ambiguous_head;

  const ConnectionOptions options = connection_options(headers);
  out.keep_alive = !options.close && (request.minor_version == 1 || options.keep_alive);
  // RFC 9110 7.8: HTTP/1.0 has no upgrades; and a body would have to be over before the protocol changes.
  const bool no_body = out.framing.kind == Framing::Kind::kNone ||
                       (out.framing.kind == Framing::Kind::kLength && out.framing.length == 0);
  if (options.upgrade && request.minor_version == 1 && request.method == Method::kGet && no_body &&
      asks_for_websocket(headers))
    out.upgrade = kWebSocket;
  const bool trailers = wants_trailers(headers);
  out.dropped_names = drop_ambiguous_names(headers, rules.allowed_names);
  remove_hop_by_hop(headers);
  if (trailers) headers.add_view("te", "trailers");
  join_cookies(headers);
  return std::nullopt;
}

std::optional<HeadError> parse_response_head(std::string_view head, const HeadLimits& limits, Method method,
                                             Response& response, ResponseHead& out) {
  const std::size_t line_end = head.find('\n');
  const auto line = head.substr(0, line_end - 1);
  if (field_bytes(line) != line.size()) return HeadError::malformed_status_line;
  // HTTP-version SP 3DIGIT SP [reason]; the space before an empty reason is often left out.
  if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' '))
    return HeadError::malformed_status_line;
  if (const auto error = judge_version(line.substr(0, 8), HeadError::malformed_status_line, out.minor_version))
    return error;
  const auto code = parse_decimal(line.substr(9, 3));
  if (!code || *code < 100 || *code > 599) return HeadError::malformed_status_line;
  response.status = static_cast<int>(*code);
  if (const auto error = read_fields(head.substr(line_end + 1), limits.field_count, response.headers)) return error;
  const FramingVerdict verdict = judge_response_framing(response.headers, out.minor_version, response.status, method);
  if (verdict.error) return verdict.error;
  out.framing = verdict.framing;
  if (!llhttp_agrees(Side::kResponse, head.substr(0, 9), head.substr(9))) return HeadError::ambiguous_head;
  const ConnectionOptions options = connection_options(response.headers);
  out.keep_alive = !options.close && (out.minor_version == 1 || options.keep_alive) &&
                   out.framing.kind != Framing::Kind::kUntilClose && !verdict.body_announced;
  if (options.upgrade && asks_for_websocket(response.headers)) out.upgrade = kWebSocket;
  return std::nullopt;
}

}  // namespace gatehouse::http
