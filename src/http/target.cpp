#include "http/target.hpp"

#include "http/address.hpp"
#include "http/syntax.hpp"

#include <algorithm>
#include <cstring>

namespace gatehouse::http {
namespace {

constexpr bool has(std::string_view text, char c) noexcept { return text.find(c) != std::string_view::npos; }

// The byte that "%XY" at `at` stands for, or -1 where the text is no percent-encoding.
int decoded(std::string_view text, std::size_t at) noexcept {
  if (at + 2 >= text.size() || text[at] != '%' || !is(kHexDigit, text[at + 1]) || !is(kHexDigit, text[at + 2]))
    return -1;
  return static_cast<int>(hex_value(text[at + 1]) * 16 + hex_value(text[at + 2]));
}

// UTF-8 written longer than need be is how "/" and "." were hidden from filters (Unicode 3.9, D92).
bool overlong(std::string_view path, std::size_t at, int byte) noexcept {
  const int next = decoded(path, at + 3);
  if (next < 0x80 || next > 0xbf) return false;
  return byte == 0xc0 || byte == 0xc1 || (byte == 0xe0 && next < 0xa0) || (byte == 0xf0 && next < 0x90) ||
         (byte == 0xf8 && next < 0x88) || (byte == 0xfc && next < 0x84);
}

// A segment that means "this" or "the one above", however it is spelled.
bool is_dot_segment(std::string_view segment) noexcept {
  std::size_t dots = 0;
  for (std::size_t i = 0; i < segment.size(); ++dots)
    if (segment[i] == '.')
      ++i;
    else if (decoded(segment, i) == '.')
      i += 3;
    else if (segment[i] == ';' && dots > 0)
      return dots <= 2;  // path parameters: some apps cut them off before they resolve "..;"
    else
      return false;
  return dots == 1 || dots == 2;
}

std::size_t dots_in(std::string_view segment) noexcept {
  std::size_t dots = 0;
  for (std::size_t i = 0; i < segment.size() && segment[i] != ';'; ++dots) i += segment[i] == '.' ? 1 : 3;
  return dots;
}

// The path without dot segments and, by policy, without empty segments (RFC 3986 5.2.4). Climbing above the root stays
// there.
std::string_view normalised(std::string_view path, const TargetPolicy& policy, Arena& arena) {
  auto* const begin = static_cast<char*>(arena.allocate(path.size() + 1));
  char* end = begin;
  std::size_t at = 0;
  while (at < path.size()) {
    std::size_t next = path.find('/', at + 1);
    if (next == std::string_view::npos) next = path.size();
    const auto segment = path.substr(at + 1, next - at - 1);
    const bool last = next == path.size();
    if (is_dot_segment(segment)) {
      if (dots_in(segment) == 2)
        while (end != begin && *--end != '/') {
        }
      if (last) *end++ = '/';
    } else if (!(segment.empty() && !last && policy.double_slash == DoubleSlashPolicy::kMerge)) {
      *end++ = '/';
      std::memcpy(end, segment.data(), segment.size());
      end += segment.size();
    }
    at = next;
  }
  if (end == begin) *end++ = '/';
  return {begin, static_cast<std::size_t>(end - begin)};
}

std::optional<HeadError> judge_path(std::string_view path, const TargetPolicy& policy, Request& request) {
  bool interesting = false;  // a dot or an empty segment may be there
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '%') {
      const int byte = decoded(path, i);
      if (byte < 0) return HeadError::malformed_target;
      if (byte == 0) return HeadError::encoded_nul_in_path;
      if (byte < 0x20 || byte == 0x7f) return HeadError::malformed_target;
      if ((byte == '/' || byte == '\\') && policy.encoded_slash == SlashPolicy::kReject)
        return HeadError::encoded_slash_in_path;
      if (byte >= 0x80 && overlong(path, i, byte)) return HeadError::malformed_target;
      if (byte == '.' && i > 0 && (path[i - 1] == '/' || path[i - 1] == '.')) interesting = true;
      i += 2;
    } else if (c == '\\') {
      return HeadError::backslash_in_path;
    } else if (c == '/' && i + 1 < path.size() && (path[i + 1] == '.' || path[i + 1] == '/')) {
      interesting = true;
    }
  }
  request.path = path;
  if (!interesting) return std::nullopt;
  bool dots = false;
  bool empty = false;
  for (std::size_t at = 0; at < path.size();) {
    std::size_t next = path.find('/', at + 1);
    if (next == std::string_view::npos) next = path.size();
    const auto segment = path.substr(at + 1, next - at - 1);
    dots = dots || is_dot_segment(segment);
    empty = empty || (segment.empty() && next != path.size());
    at = next;
  }
  if (dots && policy.dot_segments == DotPolicy::kReject) return HeadError::dot_segment_in_path;
  if (dots || (empty && policy.double_slash == DoubleSlashPolicy::kMerge))
    request.path = normalised(path, policy, request.headers.arena());
  return std::nullopt;
}

// Length of the segment up to its parameters, or to its end.
std::size_t plain_size(std::string_view segment) noexcept { return std::min(segment.find(';'), segment.size()); }

}  // namespace

std::string_view comparable_path(std::string_view path, Arena& arena) {
  bool plain = path.size() == 1 || !path.ends_with('/');
  for (std::size_t i = 0; plain && i < path.size(); ++i)
    plain = path[i] != '%' && path[i] != ';' && (path[i] != '/' || i + 1 == path.size() || path[i + 1] != '/');
  if (plain || !path.starts_with('/')) return path;
  auto* const begin = static_cast<char*>(arena.allocate(path.size()));
  char* end = begin;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const int byte = decoded(path, i);
    if (byte >= 0) i += 2;
    *end++ = byte >= 0 ? static_cast<char>(byte) : path[i];
  }
  const std::string_view read(begin, static_cast<std::size_t>(end - begin));
  end = begin;
  for (std::size_t at = 0; at < read.size();) {
    const std::size_t next = std::min(read.find('/', at + 1), read.size());
    const auto segment = read.substr(at + 1, next - at - 1);
    const std::size_t size = plain_size(segment);
    if (size != 0) {
      *end++ = '/';
      std::memmove(end, segment.data(), size);
      end += size;
    }
    at = next;
  }
  if (end == begin) *end++ = '/';
  return {begin, static_cast<std::size_t>(end - begin)};
}

bool valid_authority(std::string_view text) noexcept {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    host = text.substr(1, close - 1);
    if (!has(host, ':') || !parse_address(host)) return false;
    const auto behind = text.substr(close + 1);
    if (behind.empty()) return true;
    if (behind.front() != ':') return false;
    port = behind.substr(1);
  } else {
    const std::size_t colon = text.find(':');
    host = text.substr(0, colon);
    if (host.empty()) return false;
    // reg-name (RFC 3986 3.2.2) without percent-encoding, which no DNS name needs; "_" occurs in practice.
    for (const char c : host)
      if (!is(kToken, c) || has("%|^`#*", c)) return false;
    if (colon == std::string_view::npos) return true;
    port = text.substr(colon + 1);
  }
  const auto number = parse_decimal(port);
  return port.empty() || (number && *number <= 65535);
}

std::optional<HeadError> judge_target(std::string_view target, const TargetPolicy& policy, Request& request) {
  for (const char c : target)
    if (!is(kVisible, c) || c == '#') return HeadError::malformed_target;
  if (request.method == Method::kConnect) return HeadError::connect_refused;
  // It would tell a client what is added to its request on the way, and a script the credentials it may not read.
  if (request.method == Method::kTrace) return HeadError::trace_refused;
  if (target == "*") {
    if (request.method != Method::kOptions) return HeadError::malformed_target;
    request.path = target;
    return std::nullopt;
  }
  if (!target.starts_with('/')) {  // absolute-form, or nothing we know
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos) return HeadError::malformed_target;
    const auto name = target.substr(0, scheme);
    if (!equals_ignoring_case(name, "http") && !equals_ignoring_case(name, "https")) return HeadError::malformed_target;
    target.remove_prefix(scheme + 3);
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    request.authority = target.substr(0, end);
    if (!valid_authority(request.authority)) return HeadError::malformed_target;
    target.remove_prefix(end);
    if (target.empty() && request.method == Method::kOptions) {
      request.path = "*";  // RFC 9112 3.2.4
      return std::nullopt;
    }
    if (!target.starts_with('/')) target = request.headers.arena().join({"/", target});
  }
  const std::size_t question = target.find('?');
  request.has_query = question != std::string_view::npos;
  if (request.has_query) request.query = target.substr(question + 1);
  return judge_path(target.substr(0, question), policy, request);
}

}  // namespace gatehouse::http
