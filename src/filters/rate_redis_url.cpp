#include "filters/rate_redis_url.hpp"

#include <algorithm>
#include <charconv>

namespace gatehouse {
namespace {

template <class Number>
std::optional<Number> parse_number(std::string_view text, Number most) noexcept {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || number > most) return {};
  return number;
}

// Nothing where the percent-encoding is broken: a password that is silently another one is hard to find.
std::optional<std::string> decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    unsigned value = 0;
    const auto* const digits = text.data() + i + 1;
    if (i + 2 >= text.size() || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) return {};
    result += static_cast<char>(value);
    i += 2;
  }
  return result;
}

std::optional<RedisAddress> parse_unix(std::string_view text) {
  RedisAddress address;
  const auto question = std::min(text.find('?'), text.size());
  address.unix_path = text.substr(0, question);
  if (!address.unix_path.starts_with('/')) return {};
  const auto query = text.substr(question);
  if (query.empty()) return address;
  const auto database = query.starts_with("?db=") ? parse_number<unsigned>(query.substr(4), 1000000) : std::nullopt;
  if (!database) return {};
  address.database = *database;
  return address;
}

bool read_login(std::string_view login, RedisAddress& address) {
  const auto colon = std::min(login.find(':'), login.size());
  const auto user = decoded(login.substr(0, colon));
  const auto password = decoded(login.substr(std::min(login.size(), colon + 1)));
  if (!user || !password || password->empty()) return false;
  address.user = *user;
  address.password = Secret(*password);
  return true;
}

bool read_host(std::string_view authority, RedisAddress& address) {
  auto host_end = authority.rfind(':');
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return false;
    address.host = authority.substr(1, close - 1);
    host_end = close + 1 == authority.size() ? std::string_view::npos : close + 1;
    if (host_end != std::string_view::npos && authority[host_end] != ':') return false;
  } else {
    address.host = authority.substr(0, host_end);
    if (address.host.find(':') != std::string::npos) return false;
  }
  if (address.host.empty()) return false;
  if (host_end == std::string_view::npos) return true;
  const auto port = parse_number<std::uint16_t>(authority.substr(host_end + 1), 65535);
  if (!port || *port == 0) return false;
  address.port = *port;
  return true;
}

}  // namespace

std::optional<RedisAddress> parse_redis_url(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }))
    return {};
  if (text.starts_with("unix://")) return parse_unix(text.substr(7));
  RedisAddress address;
  address.tls = text.starts_with("rediss://");
  if (!address.tls && !text.starts_with("redis://")) return {};
  text.remove_prefix(address.tls ? 9 : 8);
  const auto slash = std::min(text.find_first_of("/?#"), text.size());
  auto authority = text.substr(0, slash);
  auto database = text.substr(slash);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    if (!read_login(authority.substr(0, at), address)) return {};
    authority.remove_prefix(at + 1);
  }
  if (!read_host(authority, address)) return {};
  if (database.empty() || database == "/") return address;
  const auto number = database.front() == '/' ? parse_number<unsigned>(database.substr(1), 1000000) : std::nullopt;
  if (!number) return {};
  address.database = *number;
  return address;
}

}  // namespace gatehouse
