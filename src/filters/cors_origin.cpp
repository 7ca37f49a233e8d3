#include "filters/cors_origin.hpp"

#include "http/address.hpp"
#include "http/syntax.hpp"

#include <re2/re2.h>
#include <algorithm>

namespace gatehouse {
namespace {

using Problem = std::optional<std::string>;

// Longer than any origin (a host name has at most 253 characters); bounds what patterns are asked to read.
constexpr std::size_t kLongestOrigin = 512;

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_small(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_label_char(char c) noexcept { return is_digit(c) || is_small(c) || c == '-' || c == '_'; }

std::string small(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return result;
}

// One or more labels of a host name in small letters, none of them empty.
bool are_labels(std::string_view text) noexcept {
  char before = '.';
  for (const char c : text) {
    if (c == '.' ? before == '.' : !is_label_char(c)) return false;
    before = c;
  }
  return before != '.';
}

std::string_view default_port(std::string_view scheme) noexcept {
  if (scheme == "https") return "443";
  return scheme == "http" ? "80" : "";
}

// A port as a browser writes it: no leading zero, at most 65535.
bool is_port(std::string_view text) noexcept {
  const auto number = http::parse_decimal(text);
  return number && *number > 0 && *number < 65536 && text.front() != '0';
}

// The host of an entry in the form that browsers send, or what is wrong with it.
Problem settle_host(std::string& host) {
  if (host.empty()) return "has no host";
  if (host.front() == '[') {
    const bool closed = host.size() > 2 && host.back() == ']';
    const auto address = parse_address(closed ? std::string_view(host).substr(1, host.size() - 2) : std::string_view{});
    if (!address || address->is_v4()) return "has no valid IPv6 address between [ and ]";
    host = "[" + format_address(*address) + "]";
    return std::nullopt;
  }
  if (std::any_of(host.begin(), host.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    return "has letters outside ASCII: write the host as browsers send it (xn--...)";
  if (host.find('*') != std::string::npos) return "may hold * only as the first label of the host or as the port";
  if (!are_labels(host) || host.size() > 253) return "has no valid host name";
  const std::size_t last = host.rfind('.') + 1;
  // The URL standard reads a host whose last label is a number as an IPv4 address.
  if (is_digit(host[last]) && host.find_first_not_of("0123456789", last) == std::string::npos && !parse_address(host))
    return "has a host that ends in a number but is no IPv4 address";
  return std::nullopt;
}

// A dot that was meant literally lets strangers in: app.example.com also matches appxexample.com.
bool has_bare_dot(std::string_view pattern) noexcept {
  const auto is_name = [&](std::size_t i) {
    return i < pattern.size() && (is_label_char(pattern[i]) || (pattern[i] >= 'A' && pattern[i] <= 'Z'));
  };
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\')
      ++i;
    else if (c == '[')
      in_class = true;
    else if (c == ']')
      in_class = false;
    else if (c == '.' && !in_class && is_name(i + 1))
      return true;
  }
  return false;
}

Problem origin_problem(std::string_view text) { return OriginSet().add(text); }

struct HostPort {
  std::string_view host;
  std::string_view port;  // empty: none given
};

HostPort split_authority(std::string_view authority) noexcept {
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.ends_with(']')) return {authority, {}};
  return {authority.substr(0, colon), authority.substr(colon + 1)};
}

bool is_authority(std::string_view authority, HostPort origin, std::string_view scheme) noexcept {
  HostPort own = split_authority(authority);
  if (own.port.empty()) own.port = default_port(scheme);
  if (origin.port.empty()) origin.port = default_port(scheme);
  return !own.host.empty() && own.port == origin.port && equals_ignoring_case(own.host, origin.host);
}

}  // namespace

const TextFormat kOriginFormat{"origin", "^(\\*|null|~.+|[A-Za-z][A-Za-z0-9+.-]*://[^/?#@]+)$", origin_problem};

OriginSet::OriginSet() = default;
OriginSet::OriginSet(OriginSet&&) noexcept = default;
OriginSet& OriginSet::operator=(OriginSet&&) noexcept = default;
OriginSet::~OriginSet() = default;

Problem OriginSet::add(std::string_view entry) {
  if (entry == "*") {
    any_ = true;
    return std::nullopt;
  }
  if (entry == "null") {
    null_ = true;
    return std::nullopt;
  }
  return entry.starts_with('~') ? add_pattern(entry.substr(1)) : add_url(entry);
}

Problem OriginSet::add_pattern(std::string_view entry) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  options.set_encoding(RE2::Options::EncodingLatin1);
  auto pattern = std::make_unique<RE2>(re2::StringPiece(entry.data(), entry.size()), options);
  if (entry.empty() || !pattern->ok())
    return "is not a regular expression that RE2 takes (it has no look-around and no back-references)";
  if (has_bare_dot(entry)) return "has a . that matches any character: write \\. for a dot";
  patterns_.push_back(std::move(pattern));
  return std::nullopt;
}

Problem OriginSet::add_url(std::string_view entry) {
  const std::size_t colon = entry.find("://");
  if (colon == std::string_view::npos) return "is not an origin: it must begin with a scheme such as https://";
  const std::string scheme = small(entry.substr(0, colon));
  if (scheme.empty() || !is_small(scheme[0]) || !std::all_of(scheme.begin(), scheme.end(), [](char c) {
        return is_small(c) || is_digit(c) || c == '+' || c == '.' || c == '-';
      }))
    return "is not an origin: it must begin with a scheme such as https://";
  if (scheme == "file") return "is nobody's origin: pages from files have the origin null";
  const std::string_view authority = entry.substr(colon + 3);
  if (authority.find_first_of("/?#@") != std::string_view::npos)
    return "is not an origin: write scheme, host and port alone, and no / at the end";
  const HostPort parts = split_authority(authority);
  std::string host = small(parts.host);
  const bool free_front = host.starts_with("*.");
  if (free_front) host.erase(0, 2);
  if (Problem problem = settle_host(host)) return problem;
  if (free_front && host.find('.') == std::string::npos && host != "localhost")
    return "would trust every site under \"" + host + "\": write at least two labels behind *.";
  if (free_front && (host.front() == '[' || parse_address(host))) return "has * in front of an address";

  const bool free_port = parts.port == "*";
  if (!free_port && authority.size() != parts.host.size() && !is_port(parts.port)) return "has no valid port";
  const std::string_view port = parts.port == default_port(scheme) ? std::string_view{} : parts.port;
  const std::string written_port = port.empty() || free_port ? std::string{} : ":" + std::string(port);
  if (free_front || free_port) {
    shapes_.push_back({scheme + "://", (free_front ? "." : "") + host, written_port, free_port});
    return std::nullopt;
  }
  std::string exact = scheme + "://" + host + written_port;
  const auto place = std::lower_bound(exact_.begin(), exact_.end(), exact);
  if (place == exact_.end() || *place != exact) exact_.insert(place, std::move(exact));
  return std::nullopt;
}

bool OriginSet::Shape::matches(std::string_view origin) const {
  if (!origin.starts_with(front)) return false;
  std::string_view rest = origin.substr(front.size());
  if (free_port) {
    const HostPort parts = split_authority(rest);
    if (parts.host.size() != rest.size() && !is_port(parts.port)) return false;
    rest = parts.host;
  } else {
    if (!rest.ends_with(port)) return false;
    rest.remove_suffix(port.size());
  }
  if (host.front() != '.') return rest == host;
  if (rest.size() <= host.size() || !rest.ends_with(host)) return false;
  rest.remove_suffix(host.size());
  return are_labels(rest);
}

bool OriginSet::contains(std::string_view origin) const {
  if (origin.size() > kLongestOrigin) return false;
  if (origin == "null") return null_;
  if (std::binary_search(exact_.begin(), exact_.end(), origin)) return true;
  if (std::any_of(shapes_.begin(), shapes_.end(), [&](const Shape& shape) { return shape.matches(origin); }))
    return true;
  const re2::StringPiece text(origin.data(), origin.size());
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const auto& pattern) { return RE2::FullMatch(text, *pattern); });
}

bool OriginSet::matches_strangers() const {
  static constexpr std::string_view kStrangers[] = {"https://stranger.invalid", "http://x7.nowhere.test:81",
                                                    "https://stranger-invalid.com", "https://stranger.co.uk"};
  return std::any_of(std::begin(kStrangers), std::end(kStrangers), [&](auto origin) { return contains(origin); });
}

std::string_view OriginSet::only() const noexcept {
  const bool single = exact_.size() == 1 && shapes_.empty() && patterns_.empty() && !null_ && !any_;
  return single ? std::string_view(exact_.front()) : std::string_view{};
}

bool OriginSet::empty() const noexcept {
  return exact_.empty() && shapes_.empty() && patterns_.empty() && !null_ && !any_;
}

std::optional<std::string_view> request_origin(const Request& request) noexcept {
  if (request.headers.count(FieldId::origin) != 1) return std::nullopt;
  return request.headers.value(FieldId::origin);
}

bool is_own_origin(const Exchange& exchange, std::string_view origin) noexcept {
  const std::size_t colon = origin.find("://");
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = origin.substr(0, colon);
  if (scheme != "https" && (scheme != "http" || exchange.client_scheme == Scheme::kHttps)) return false;
  const HostPort parts = split_authority(origin.substr(colon + 3));
  const Request& request = exchange.request();
  if (is_authority(request.authority, parts, scheme)) return true;
  if (!exchange.peer_trusted) return false;
  // The last element is what the trusted peer itself wrote.
  const std::string_view told = request.headers.value(FieldId::x_forwarded_host);
  return is_authority(http::trim(told.substr(told.rfind(',') + 1)), parts, scheme);
}

}  // namespace gatehouse
