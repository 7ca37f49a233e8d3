#include "config/address.hpp"
#include "config/status_ranges.hpp"

#include <gatehouse/options.hpp>

#include <re2/re2.h>
#include <algorithm>

namespace gatehouse {
namespace {

using Problem = std::optional<std::string>;

// RFC 9110 5.6.2.
bool is_token(std::string_view text) {
  static constexpr std::string_view kSymbols = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kSymbols.find(c) != kSymbols.npos;
  });
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
}

Problem url_path_problem(std::string_view text) {
  if (!text.starts_with('/')) return "is not a path: it must begin with /";
  if (text.find_first_of("?#") != std::string_view::npos) return "has a ? or #: write the path alone";
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c >= 0x7F || c == '\\'; }))
    return "has characters that a path cannot have: percent-encode them";
  return std::nullopt;
}

Problem template_problem(std::string_view segment, std::vector<std::string_view>& names) {
  if (segment.find_first_of("{}*") == std::string_view::npos) return std::nullopt;
  const bool braces = segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
  if (!braces) return "may hold * only as its last part (/api/*) and {name} only as a whole part (/items/{id})";
  const std::string_view name = segment.substr(1, segment.size() - 2);
  if (!is_word(name)) return "has a {name} with other characters than letters, digits, - and _";
  if (std::find(names.begin(), names.end(), name) != names.end()) return "has the same {name} twice";
  names.push_back(name);
  return std::nullopt;
}

Problem route_path_problem(std::string_view text) {
  if (auto problem = url_path_problem(text)) return problem;
  std::vector<std::string_view> names;
  std::string_view rest = text.substr(1);
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    if (segment == "." || segment == "..") return "has a . or .. part, which no request that is let through has";
    const bool last = slash == std::string_view::npos;
    if (last && segment == "*") return std::nullopt;
    if (auto problem = template_problem(segment, names)) return problem;
    if (last) return std::nullopt;
    rest.remove_prefix(slash + 1);
  }
}

Problem host_problem(std::string_view text) {
  std::string_view name = text.starts_with("*.") ? text.substr(2) : text;
  if (name.starts_with('[') && name.ends_with(']') && ip_family(name.substr(1, name.size() - 2)) == IpFamily::kV6)
    return std::nullopt;
  if (!is_host_name(name)) return "is not a host name such as app.example.com or *.example.com, without port";
  return std::nullopt;
}

Problem url_problem(std::string_view text) {
  const std::size_t colon = text.find("://");
  const std::string_view scheme = text.substr(0, colon);
  const bool scheme_ok =
      colon != std::string_view::npos && !scheme.empty() && std::all_of(scheme.begin(), scheme.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
      });
  if (!scheme_ok) return "is not a URL: it must begin with a scheme such as http://";
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c == 0x7F; }))
    return "has white space in it";
  return std::nullopt;
}

Problem method_problem(std::string_view text) {
  if (!is_token(text)) return "is not a request method such as GET or POST";
  if (std::any_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; }))
    return "has small letters: methods are told apart by case, and the usual ones are all capitals (GET, POST)";
  return std::nullopt;
}

Problem field_name_problem(std::string_view text) {
  if (!is_token(text)) return "is not a header name such as X-Api-Key";
  return std::nullopt;
}

Problem name_problem(std::string_view text) {
  if (!is_word(text) || text.size() > 64) return "is not a name: at most 64 letters, digits, - and _";
  return std::nullopt;
}

Problem regex_problem(std::string_view text) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  const RE2 expression(re2::StringPiece(text.data(), text.size()), options);
  if (expression.ok()) return std::nullopt;
  return "is not a regular expression that RE2 takes (it has no look-around and no back-references)";
}

}  // namespace

namespace format {
const TextFormat kUrlPath{"path", "^/", url_path_problem};
const TextFormat kRoutePath{"path pattern", "^/", route_path_problem};
const TextFormat kCidr{"network", "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$", network_problem};
const TextFormat kHostName{"host name", "^[^/:]+$|^\\[", host_problem};
const TextFormat kUrl{"URL", "^[a-z0-9+.-]+://", url_problem};
const TextFormat kMethod{"method", "^[^a-z ]+$", method_problem};
const TextFormat kFieldName{"header name", "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", field_name_problem};
const TextFormat kName{"name", "^[A-Za-z0-9_-]{1,64}$", name_problem};
const TextFormat kRegex{"RE2 expression", "", regex_problem};
const TextFormat kStatusRange{"status codes",
                              "^[1-5][0-9][0-9](-[1-5][0-9][0-9])?(,[1-5][0-9][0-9](-[1-5][0-9][0-9])?)*$",
                              status_ranges_problem, true};
const TextFormat kFilePath{"file", "", nullptr, false, TextFormat::File::kPath};
const TextFormat kReadableFile{"file", "", nullptr, false, TextFormat::File::kReadable};
}  // namespace format

}  // namespace gatehouse
