#include "config/service_url.hpp"

#include <algorithm>
#include <charconv>

namespace gatehouse {
namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// False for an escape that is none, or that hides a byte which no client library would take.
bool decode(std::string_view text, std::string& into) {
  into.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      into += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0 || high * 16 + low == 0) return false;
    into += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

bool read_parameters(std::string_view query, ServiceUrl& url) {
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    const std::size_t equals = std::min(one.find('='), one.size());
    std::pair<std::string, std::string> parameter;
    if (!decode(one.substr(0, equals), parameter.first)) return false;
    if (!decode(one.substr(std::min(equals + 1, one.size())), parameter.second)) return false;
    if (!parameter.first.empty()) url.parameters.push_back(std::move(parameter));
  }
  return true;
}

std::string_view read_host_and_port(std::string_view text, ServiceUrl& url) {
  constexpr std::string_view kEscape = "holds a % that begins no escape; write %25 for the character itself";
  if (text.find(',') != std::string_view::npos) return "names several hosts; give each of them a check of its own";
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return "opens a [ and does not close it";
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (!decode(host, url.host)) return kEscape;
  if (port.size() <= 1) return {};
  const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), url.port);
  const bool good = port.front() == ':' && error == std::errc{} && end == port.data() + port.size() && url.port != 0;
  return good ? std::string_view{} : "has a port that is no number from 1 to 65535";
}

// Where the path begins. Passwords are often pasted in as they are, with slashes in them: for a service that is no web
// server, everything up to the last @ is user and password.
std::size_t end_of_authority(std::string_view rest, bool is_web) {
  const std::size_t before_query = std::min(rest.find('?'), rest.size());
  const std::size_t at = is_web ? std::string_view::npos : rest.substr(0, before_query).rfind('@');
  return std::min(rest.find_first_of("/?", at == std::string_view::npos ? 0 : at), rest.size());
}

}  // namespace

std::string_view ServiceUrl::parameter(std::string_view name) const noexcept {
  const auto found =
      std::find_if(parameters.begin(), parameters.end(), [name](const auto& entry) { return entry.first == name; });
  return found == parameters.end() ? std::string_view{} : std::string_view(found->second);
}

std::string_view parse_service_url(std::string_view text, ServiceUrl& url) {
  constexpr std::string_view kEscape = "holds a % that begins no escape; write %25 for the character itself";
  url = {};
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    return "holds a space or a control character; write it as %20 and the like";
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return "is not a URL: it must begin with a scheme such as http://";
  url.scheme = text.substr(0, std::min(text.find('+'), colon));
  const bool is_web = url.scheme == "http" || url.scheme == "https";
  std::string_view rest = text.substr(colon + 3);
  if (is_web) rest = rest.substr(0, rest.find('#'));
  const std::size_t end = end_of_authority(rest, is_web);
  std::string_view authority = rest.substr(0, end);
  const std::string_view target = rest.substr(end);
  url.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);

  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view both = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const std::size_t middle = std::min(both.find(':'), both.size());
    if (!decode(both.substr(0, middle), url.user)) return kEscape;
    if (!decode(both.substr(std::min(middle + 1, both.size())), url.password)) return kEscape;
  }
  const std::size_t query = std::min(target.find('?'), target.size());
  if (!decode(target.substr(0, query), url.path)) return kEscape;
  if (query < target.size() && !is_web && !read_parameters(target.substr(query + 1), url)) return kEscape;
  return read_host_and_port(authority, url);
}

}  // namespace gatehouse
