#include "config/address.hpp"

#include <arpa/inet.h>
#include <sys/un.h>
#include <array>
#include <charconv>

namespace gatehouse {
namespace {

ParsedAddress wrong(std::string problem) { return {{}, std::move(problem)}; }

ParsedAddress parse_unix(std::string_view path) {
  if (!path.starts_with('/')) return wrong("needs the whole path of the socket: unix:/run/app.sock");
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return wrong("has a path of more than 107 bytes, which a socket cannot have");
  return {{{}, 0, std::string(path)}, std::nullopt};
}

// Nothing: not a port.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || text[0] == '0' || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

struct HostAndPort {
  std::string_view host;
  std::optional<std::string_view> port;
  bool bracketed = false;
};

// Nothing: brackets without their pair, or an IPv6 address outside them.
std::optional<HostAndPort> split_host(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') return std::nullopt;
    HostAndPort split{text.substr(1, end - 1), std::nullopt, true};
    if (!rest.empty()) split.port = rest.substr(1);
    return split;
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return HostAndPort{text, std::nullopt, false};
  if (text.find(':', colon + 1) != std::string_view::npos) return std::nullopt;
  return HostAndPort{text.substr(0, colon), text.substr(colon + 1), false};
}

bool is_any(const Address& address) {
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.host.c_str(), &v6) == 1) return IN6_IS_ADDR_UNSPECIFIED(&v6);
  return address.host == "0.0.0.0";
}

std::optional<std::string> listen_problem(std::string_view text) { return parse_listen_address(text).problem; }
std::optional<std::string> upstream_problem(std::string_view text) { return parse_upstream_url(text).problem; }

}  // namespace

const TextFormat kListenAddressFormat{"address", "^(unix:/.+|[0-9.]+:[0-9]{1,5}|\\[[0-9A-Fa-f:.]+\\]:[0-9]{1,5})$",
                                      listen_problem};
const TextFormat kUpstreamUrlFormat{"URL", "^(unix:/.+|http://[^/@?# ]+/?)$", upstream_problem};

std::string to_string(const Address& address) {
  if (address.is_unix()) return "unix:" + address.unix_path;
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

IpFamily ip_family(std::string_view text) {
  const std::string address(text);
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return IpFamily::kV4;
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return IpFamily::kV6;
  return IpFamily::kNone;
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  std::size_t label = 0;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!letter && !(c == '-' && label > 0) && !(c == '.' && label > 0)) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > 63) return false;
  }
  return text.back() != '-';
}

ParsedAddress parse_listen_address(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text.substr(5));
  if (text.find("://") != std::string_view::npos)
    return wrong("is a URL; write only the address and port: 0.0.0.0:8080");
  const std::string_view behind_colon = text.starts_with(':') ? text.substr(1) : text;
  if (behind_colon.find_first_not_of("0123456789") == std::string_view::npos)
    return wrong("has no address: write 0.0.0.0:8080 for every IPv4 address, or [::]:8080 for every address");
  const auto split = split_host(text);
  if (!split)
    return wrong("is not an address and port: write 0.0.0.0:8080, or [::]:8080 with the IPv6 address in brackets");
  const IpFamily family = ip_family(split->host);
  if (family == IpFamily::kNone || (family == IpFamily::kV6) != split->bracketed)
    return wrong(
        "does not begin with an IP address: write 0.0.0.0:8080, [::]:8080, 127.0.0.1:8080 or unix:/run/gatehouse.sock");
  if (!split->port) return wrong("has no port: write the address, a colon and the port");
  const auto port = parse_port(*split->port);
  if (!port) return wrong("has no valid port: ports are 1 to 65535");
  return {{std::string(split->host), *port, {}}, std::nullopt};
}

ParsedAddress parse_upstream_url(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text.substr(5));
  if (text.starts_with("https://")) return wrong("is https; the app behind Gatehouse is reached by http:// or unix:");
  if (!text.starts_with("http://")) return wrong("is not a URL: write http://127.0.0.1:8000 or unix:/run/app.sock");
  text.remove_prefix(7);
  if (text.find('@') != std::string_view::npos) return wrong("holds a user or password, which is not possible here");
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.find_first_of("/?#") != std::string_view::npos)
    return wrong("has a path; requests reach the app with the path that the client sent, so write only host and port");
  const auto split = split_host(text);
  if (!split)
    return wrong("is not a URL: write http://127.0.0.1:8000, or http://[::1]:8000 with the IPv6 address in brackets");
  if (split->bracketed ? ip_family(split->host) != IpFamily::kV6 : !is_host_name(split->host))
    return wrong("has no valid host: write http://127.0.0.1:8000 or http://app:8000");
  const auto port = split->port ? parse_port(*split->port) : std::uint16_t{80};
  if (!port) return wrong("has no valid port: ports are 1 to 65535");
  return {{std::string(split->host), *port, {}}, std::nullopt};
}

bool overlap(const Address& a, const Address& b) {
  if (a.is_unix() || b.is_unix()) return a.unix_path == b.unix_path;
  if (a.port != b.port) return false;
  const bool same_family = ip_family(a.host) == ip_family(b.host);
  const bool v6_any =
      (is_any(a) && ip_family(a.host) == IpFamily::kV6) || (is_any(b) && ip_family(b.host) == IpFamily::kV6);
  if (!same_family) return v6_any;  // `::` takes IPv4 connections as well
  std::array<unsigned char, 16> left{}, right{};
  const int family = ip_family(a.host) == IpFamily::kV4 ? AF_INET : AF_INET6;
  inet_pton(family, a.host.c_str(), left.data());
  inet_pton(family, b.host.c_str(), right.data());
  return left == right || is_any(a) || is_any(b);
}

std::optional<std::string> network_problem(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  const IpFamily family = ip_family(address);
  if (family == IpFamily::kNone) return "is not a network such as 10.0.0.0/8, 2001:db8::/32 or a single address";
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(slash + 1);
  const int bits = family == IpFamily::kV4 ? 32 : 128;
  int prefix = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (error != std::errc{} || end != digits.data() + digits.size() || prefix < 0 || prefix > bits ||
      (digits.size() > 1 && digits[0] == '0'))
    return "has no valid prefix length: 0 to " + std::to_string(bits) + " behind the /";
  std::array<unsigned char, 16> bytes{};
  inet_pton(family == IpFamily::kV4 ? AF_INET : AF_INET6, address.c_str(), bytes.data());
  std::array<unsigned char, 16> masked = bytes;
  for (int bit = prefix; bit < bits; ++bit)
    masked[static_cast<std::size_t>(bit / 8)] &= static_cast<unsigned char>(~(0x80 >> (bit % 8)));
  if (masked == bytes) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> written{};
  inet_ntop(family == IpFamily::kV4 ? AF_INET : AF_INET6, masked.data(), written.data(), written.size());
  return "has bits set behind its prefix: write " + std::string(written.data()) + "/" + std::to_string(prefix);
}

}  // namespace gatehouse
