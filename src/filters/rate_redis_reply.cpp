#include "filters/rate_redis_reply.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace gatehouse {
namespace {

constexpr std::size_t kLongestLine = 1024;

// One line without its end, cut off `rest`. Nothing yet, or malformed when it is too long or ends otherwise than in
// CRLF.
result<std::optional<std::string_view>> take_line(std::string_view& rest) noexcept {
  const auto end = rest.substr(0, kLongestLine).find('\n');
  if (end == std::string_view::npos) {
    if (rest.size() >= kLongestLine) return make_error_code(errc::malformed);
    return std::optional<std::string_view>{};
  }
  if (end < 2 || rest[end - 1] != '\r') return make_error_code(errc::malformed);
  const auto line = rest.substr(0, end - 1);
  rest.remove_prefix(end + 1);
  return std::optional(line);
}

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

}  // namespace

result<std::size_t> parse_redis_reply(std::string_view bytes, RedisReply& reply) noexcept {
  const auto malformed = make_error_code(errc::malformed);
  auto rest = bytes;
  reply.count = 0;
  const auto first = take_line(rest);
  if (!first) return first.error();
  if (!*first) return std::size_t{0};
  const char type = (*first)->front();
  const auto content = (*first)->substr(1);
  if (type == '+' || type == '-') {
    reply.kind = type == '+' ? RedisReply::Kind::kText : RedisReply::Kind::kError;
    reply.text = type == '+' ? content : content.substr(0, content.find(' '));
    return bytes.size() - rest.size();
  }
  const auto number = parse_integer(content);
  if (!number) return malformed;
  if (type == ':') {
    reply.kind = RedisReply::Kind::kIntegers;
    reply.integers[reply.count++] = *number;
    return bytes.size() - rest.size();
  }
  if (*number < 0 || *number > static_cast<std::int64_t>(kLongestLine)) return malformed;
  const auto size = static_cast<std::size_t>(*number);
  if (type == '$') {
    if (rest.size() < size + 2) return std::size_t{0};
    if (rest.substr(size, 2) != "\r\n") return malformed;
    reply.kind = RedisReply::Kind::kText;
    reply.text = rest.substr(0, size);
    return bytes.size() - rest.size() + size + 2;
  }
  if (type != '*' || size > RedisReply::kMostIntegers) return malformed;
  reply.kind = RedisReply::Kind::kIntegers;
  while (reply.count < size) {
    const auto line = take_line(rest);
    if (!line) return line.error();
    if (!*line) return std::size_t{0};
    const auto item = (*line)->front() == ':' ? parse_integer((*line)->substr(1)) : std::nullopt;
    if (!item) return malformed;
    reply.integers[reply.count++] = *item;
  }
  return bytes.size() - rest.size();
}

}  // namespace gatehouse
