#include "filters/cors.hpp"

namespace gatehouse {
namespace {

void check_wildcards(OptionsReader& reader, const std::vector<std::string>& origins, bool credentials) {
  OriginSet set;
  for (std::size_t i = 0; i < origins.size(); ++i) {
    if (origins[i] == "*" && origins.size() > 1)
      reader.mistake("allow_origins", i, "\"*\" is every origin: leave the others out, or leave out \"*\"");
    if (origins[i] == "*" && credentials)
      reader.mistake(
          "allow_origins", i,
          "\"*\" together with allow_credentials would let every site act for your users, and browsers refuse it: "
          "name the origins");
    if (origins[i] == "null" && credentials)
      reader.mistake(
          "allow_origins", i,
          "\"null\" together with allow_credentials would let every site act for your users, from a sandboxed frame: "
          "serve that page from an origin with a name");
    OriginSet alone;
    const bool added = !alone.add(origins[i]);
    if (added && credentials && alone.matches_strangers())
      reader.mistake("allow_origins", i,
                     "matches origins that nobody named; with allow_credentials it must be narrower");
  }
}

}  // namespace

Section Cors::section() {
  const Options defaults;
  Section section;
  section.per_route = true;
  section.spec =
      key::map(
          "cors",
          {
              key::texts("allow_origins", {},
                         "Origins whose pages may call the app: https://app.example.com, https://*.example.com, "
                         "http://localhost:* (any port), ~REGEX (RE2, matches as a whole), null, or * for all.")
                  .of_format(kOriginFormat)
                  .within(0, 1000)
                  .required(),
              key::texts("allow_methods", defaults.allow_methods,
                         "Methods that those pages may use; * for all. GET, HEAD and POST need no leave.")
                  .of_format(format::kMethod)
                  .within(0, 64),
              key::texts("allow_headers", defaults.allow_headers,
                         "Request headers that those pages may set; * for all.")
                  .of_format(format::kFieldName)
                  .within(0, 64),
              key::texts("expose_headers", defaults.expose_headers,
                         "Response headers that those pages may read, beyond the few that they always may; * for all.")
                  .of_format(format::kFieldName)
                  .within(0, 64),
              key::duration("max_age", defaults.max_age,
                            "How long a browser may remember a preflight; Chromium forgets after two hours.")
                  .within(std::chrono::seconds{0}, std::chrono::hours{24}),
              key::boolean("allow_credentials", defaults.allow_credentials,
                           "Those pages may send cookies and stored logins along."),
              key::boolean("private_network", defaults.private_network,
                           "Pages from public networks may call the app on a private one."),
              key::choice("upstream", {"replace", "keep"}, "replace",
                          "What the app itself says about CORS is replaced, or kept where it says something."),
              key::boolean("shadow", defaults.shadow,
                           "Counts and notes what these settings would do, and does nothing."),
              key::boolean("block", defaults.block,
                           "Refuses requests other than GET, HEAD and OPTIONS from pages of other origins with 403; "
                           "CORS alone only keeps those pages from reading the answer."),
          },
          "Which pages of other origins may call the app from a browser.")
          .optional();
  section.check = [](OptionsReader& reader) {
    const bool credentials = reader.boolean("allow_credentials");
    check_wildcards(reader, reader.texts("allow_origins"), credentials);
    const std::vector<std::string> exposed = reader.texts("expose_headers");
    for (std::size_t i = 0; credentials && i < exposed.size(); ++i)
      if (exposed[i] == "*")
        reader.mistake("expose_headers", i,
                       "\"*\" means nothing to browsers together with allow_credentials: name the headers");
  };
  return section;
}

Cors::Options Cors::read(const OptionsReader& reader) {
  Options options;
  for (const std::string& origin : reader.texts("allow_origins")) options.allow_origins.add(origin);
  options.allow_methods = reader.texts("allow_methods");
  options.allow_headers = reader.texts("allow_headers");
  options.expose_headers = reader.texts("expose_headers");
  options.max_age = std::chrono::duration_cast<std::chrono::seconds>(reader.duration("max_age"));
  options.allow_credentials = reader.boolean("allow_credentials");
  options.private_network = reader.boolean("private_network");
  options.upstream = reader.choice<Upstream>("upstream");
  options.shadow = reader.boolean("shadow");
  options.block = reader.boolean("block");
  return options;
}

std::unique_ptr<Filter> Cors::make(OptionsReader& reader, CorsCounters& counters) {
  return std::make_unique<Cors>(read(reader), counters);
}

}  // namespace gatehouse
