#include "filters/cookie_hardening.hpp"

#include "http/syntax.hpp"

namespace gatehouse {
namespace {

using SameSite = CookieHardening::SameSite;

std::optional<std::string> cookie_problem(std::string_view text) {
  const std::string_view front = text.substr(0, text.find('*'));
  const bool star_is_last = front.size() + 1 >= text.size();
  if (!star_is_last || !http::all(http::kToken, front))
    return "is not the name of a cookie, or its beginning with a * behind it";
  return std::nullopt;
}

const TextFormat kCookieName{"cookie name", "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", cookie_problem};

// A boolean that may be left open.
KeySpec open_boolean(std::string_view name, std::string_view doc) {
  KeySpec spec = key::boolean(name, true, doc);
  spec.default_yaml.reset();
  return spec;
}

const std::vector<std::string> kSameSiteWords{"lax", "strict", "none", "off"};

void check(OptionsReader& reader) {
  if (reader.choice<SameSite>("same_site") == SameSite::kNone && !reader.boolean("secure"))
    reader.mistake("same_site", "none needs secure: browsers refuse the cookie else");
}

}  // namespace

Section CookieHardening::section() {
  const Options defaults;
  Section section;
  section.per_route = true;
  section.spec =
      key::map(
          "cookies",
          {
              key::boolean("secure", defaults.secure, "Adds Secure where the client uses TLS."),
              key::boolean(
                  "http_only", defaults.http_only,
                  "Adds HttpOnly, so that scripts cannot read the cookie; csrftoken and XSRF-TOKEN stay readable."),
              key::choice("same_site", kSameSiteWords, "lax",
                          "The SameSite that cookies get that have none; off: none is added."),
              key::maps("exceptions",
                        {
                            key::text("name", std::nullopt, "Name of a cookie; with a * at its end, its beginning.")
                                .of_format(kCookieName)
                                .required(),
                            open_boolean("secure", "Whether it gets Secure; not given: like the others."),
                            open_boolean("http_only", "Whether it gets HttpOnly; not given: like the others."),
                            key::choice("same_site", kSameSiteWords, std::nullopt,
                                        "The SameSite it gets; not given: like the others."),
                        },
                        "Cookies that need something else. The first that names a cookie counts.")
                  .within(0, 64),
              key::boolean("report_only", defaults.report_only,
                           "Counts and notes cookies that would get a flag, and changes none."),
          },
          "Flags that protect the cookies which the app sets. What the app says stays.")
          .optional();
  section.check = check;
  return section;
}

CookieHardening::Options CookieHardening::read(const OptionsReader& reader) {
  Options options;
  options.secure = reader.boolean("secure");
  options.http_only = reader.boolean("http_only");
  options.same_site = reader.choice<SameSite>("same_site");
  for (const OptionsReader& item : reader.maps("exceptions")) {
    Exception exception;
    exception.name = item.text("name");
    if (item.has("secure")) exception.secure = item.boolean("secure");
    if (item.has("http_only")) exception.http_only = item.boolean("http_only");
    if (item.has("same_site")) exception.same_site = item.choice<SameSite>("same_site");
    options.exceptions.push_back(std::move(exception));
  }
  options.report_only = reader.boolean("report_only");
  return options;
}

std::unique_ptr<Filter> CookieHardening::make(OptionsReader& reader, CookieCounters& counters) {
  return std::make_unique<CookieHardening>(read(reader), counters);
}

}  // namespace gatehouse
