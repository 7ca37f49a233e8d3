#include "filters/cookie_hardening.hpp"

#include "http/syntax.hpp"

namespace gatehouse {
namespace {

using SameSite = CookieHardening::SameSite;

// Cookies that the scripts of well-known frameworks read by design, to send them back in a header: HttpOnly would break
// every form. Django; Angular, axios and Laravel.
constexpr std::string_view kReadByScripts[] = {"csrftoken", "XSRF-TOKEN"};

bool starts_with_ignoring_case(std::string_view text, std::string_view front) noexcept {
  return text.size() >= front.size() && equals_ignoring_case(text.substr(0, front.size()), front);
}

// What matters of one cookie (RFC 6265bis 5.6): attribute names in any case, the last one of a name counts.
struct Cookie {
  std::string_view name;
  bool secure = false;
  bool http_only = false;
  bool partitioned = false;
  bool has_same_site = false;
  bool same_site_none = false;
};

Cookie parse(std::string_view text) noexcept {
  Cookie cookie;
  const std::size_t end = text.find(';');
  const std::string_view pair = text.substr(0, end);
  const std::size_t equals = pair.find('=');
  // Without a = the whole is the value of a cookie that has no name.
  if (equals != std::string_view::npos) cookie.name = http::trim(pair.substr(0, equals));
  std::string_view rest = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  while (!rest.empty()) {
    const std::size_t next = rest.find(';');
    const std::string_view attribute = rest.substr(0, next);
    rest = next == std::string_view::npos ? std::string_view{} : rest.substr(next + 1);
    const std::size_t split = attribute.find('=');
    const std::string_view name = http::trim(attribute.substr(0, split));
    if (equals_ignoring_case(name, "secure")) cookie.secure = true;
    if (equals_ignoring_case(name, "httponly")) cookie.http_only = true;
    if (equals_ignoring_case(name, "partitioned")) cookie.partitioned = true;
    if (!equals_ignoring_case(name, "samesite") || split == std::string_view::npos) continue;
    const std::string_view value = http::trim(attribute.substr(split + 1));
    cookie.same_site_none = equals_ignoring_case(value, "none");
    // A value that browsers do not know is as good as none at all.
    cookie.has_same_site =
        cookie.same_site_none || equals_ignoring_case(value, "lax") || equals_ignoring_case(value, "strict");
  }
  return cookie;
}

std::string_view attribute_of(SameSite same_site) noexcept {
  switch (same_site) {
    case SameSite::kLax:
      return "; SameSite=Lax";
    case SameSite::kStrict:
      return "; SameSite=Strict";
    case SameSite::kNone:
      return "; SameSite=None";
    case SameSite::kOff:
      break;
  }
  return {};
}

std::string_view without_end(std::string_view text) noexcept {
  while (!text.empty() && (text.back() == ';' || text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

CookieHardening::CookieHardening(Options options, CookieCounters& counters)
    : options_(std::move(options)), counters_(counters) {}

CookieHardening::Wanted CookieHardening::wanted_for(std::string_view name) const noexcept {
  Wanted wanted{options_.secure, options_.http_only, options_.same_site};
  for (const std::string_view known : kReadByScripts)
    if (name == known) wanted.http_only = false;
  for (const Exception& exception : options_.exceptions) {
    const std::string_view pattern = exception.name;
    const bool named =
        pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
    if (!named) continue;
    wanted.secure = exception.secure.value_or(wanted.secure);
    wanted.http_only = exception.http_only.value_or(wanted.http_only);
    wanted.same_site = exception.same_site.value_or(wanted.same_site);
    break;
  }
  return wanted;
}

// The cookie with what it lacks, or an empty text where it lacks nothing.
std::string_view CookieHardening::hardened(std::string_view text, bool tls, Arena& arena) const {
  const Cookie cookie = parse(text);
  const Wanted wanted = wanted_for(cookie.name);
  const bool none = cookie.has_same_site ? cookie.same_site_none : wanted.same_site == SameSite::kNone;
  // Browsers refuse these without it, so that adding it takes nothing away whatever the settings say.
  const bool needs_secure = none || cookie.partitioned || starts_with_ignoring_case(cookie.name, "__Secure-") ||
                            starts_with_ignoring_case(cookie.name, "__Host-");
  // Without TLS a browser would refuse the cookie for having it.
  const bool add_secure = !cookie.secure && tls && (wanted.secure || needs_secure);
  const bool is_secure = cookie.secure || add_secure;
  if (cookie.same_site_none && !is_secure) counters_.cross_site.add();
  const bool add_same_site =
      !cookie.has_same_site && wanted.same_site != SameSite::kOff && (wanted.same_site != SameSite::kNone || is_secure);
  const bool add_http_only = !cookie.http_only && wanted.http_only;
  if (!add_secure && !add_same_site && !add_http_only) return {};
  return arena.join({without_end(text), add_secure ? "; Secure" : "", add_http_only ? "; HttpOnly" : "",
                     add_same_site ? attribute_of(wanted.same_site) : std::string_view{}});
}

void CookieHardening::on_response(Exchange& exchange, Response& response) const {
  Headers& headers = response.headers;
  if (headers.find(FieldId::set_cookie) == nullptr) return;
  const bool tls = exchange.client_scheme == Scheme::kHttps;
  Headers changed(headers.arena());
  for (Field field : headers) {
    if (field.id == FieldId::set_cookie) {
      const std::string_view better = hardened(field.value, tls, headers.arena());
      if (!better.empty()) {
        counters_.hardened.add();
        if (exchange.note.empty() && options_.report_only) exchange.note = "cookie_unprotected";
        if (!options_.report_only) field.value = better;
      }
    }
    changed.append(field);
  }
  headers = changed;
}

}  // namespace gatehouse
