#include "config/keys_operation.hpp"

#include "config/address.hpp"
#include "config/key_bounds.hpp"

namespace gatehouse::keys {
namespace {

KeySpec health_checks() {
  const HealthCheck defaults;
  std::vector<KeySpec> keys{
      key::text("name", std::nullopt, "Name of the check in answers and metrics.").of_format(format::kName).required(),
      key::choice("type", {"postgres", "redis", "mysql", "http", "tcp", "file_age", "disk", "command"}, std::nullopt,
                  "What is checked.")
          .required(),
      key::text("url", std::nullopt, "Where: postgres://, redis://, mysql://, http:// or tcp://host:port.")
          .of_format(format::kUrl)
          .secret(),
      key::text("path", std::nullopt, "The file of a file_age check, or a folder on the disk of a disk check.")
          .of_format(format::kFilePath),
      key::duration("maximum_age", std::nullopt, "file_age: how long ago the file may have been written.")
          .within(kShortest, hours{24 * 3650}),
      key::bytes("minimum_free", std::nullopt, "disk: the free space that there must be."),
      key::texts("command", {}, "command: the program and its arguments; exit status 0 is good."),
      expect_status("http: statuses that count as a good answer."),
      key::boolean("critical", defaults.critical, "Whether the app is unhealthy without it; else only degraded."),
  };
  for (KeySpec& spec : probe_keys(defaults.probe)) keys.push_back(std::move(spec));
  return key::maps("checks", std::move(keys), "What the app depends on.").within(0, 100);
}

KeySpec redact() {
  const Redact defaults;
  std::vector<KeySpec> keys{
      key::texts("names", {},
                 "Names of fields, parameters and keys whose values never appear, besides the built-in ones."),
      key::texts("headers", {}, "Header fields whose values never appear, besides the built-in ones.")
          .of_format(format::kFieldName),
      key::texts("patterns", {}, "Regular expressions (RE2) of texts that never appear, besides the built-in shapes.")
          .of_format(format::kRegex)
          .within(0, 100),
      key::choice("action", {"replace", "hash", "mask", "drop"}, "replace",
                  "What takes a secret's place: REDACTED, a keyed hash, stars and the last four characters, or nothing."),
      key::text("hash_key", std::nullopt,
                "Key of the hashes; without it each run has its own, and hashes of two runs do not compare.")
          .secret(),
      key::boolean("emails", defaults.emails, "Hide e-mail addresses too."),
      key::choice("client_addresses", {"keep", "truncate", "hash", "drop"}, "keep",
                  "Addresses of clients: as they are, cut to /24 (IPv6: /56), hashed, or left out."),
  };
  return key::map("redact", std::move(keys), "What is kept out of every log, besides the built-in list.");
}

KeySpec access_log() {
  const AccessLog defaults;
  std::vector<KeySpec> keys{
      key::boolean("enabled", defaults.enabled, "Write one record for each request."),
      key::choice("fields", {"minimal", "default", "full"}, "default", "How much a record says."),
      key::boolean("exclude_health", defaults.exclude_health, "Leave out successful health requests."),
      key::texts("exclude_paths", {}, "Paths whose successful requests are left out: /healthz, /static/*.")
          .of_format(format::kRoutePath)
          .within(0, 100),
      key::texts("headers", {}, "Request header fields that a record also holds, redacted.")
          .of_format(format::kFieldName)
          .within(0, 32),
      key::texts("response_headers", {}, "Response header fields that a record also holds, redacted.")
          .of_format(format::kFieldName)
          .within(0, 32),
      key::number("sample", defaults.sample, "Share of the successful requests that are recorded; failures always are.")
          .within_numbers(0, 1),
      key::duration("minimum_duration", defaults.minimum_duration, "Successful requests faster than this are left out.")
          .within(kNone, hours{1}),
  };
  return key::map("access", std::move(keys), "The record of each request.");
}

KeySpec log_levels() {
  std::vector<KeySpec> keys;
  for (const std::string_view component : kLogComponents)
    keys.push_back(key::choice(component, {"trace", "debug", "info", "warn", "error", "off"}, std::nullopt,
                               "Least severity of messages of " + std::string(component) + "; else that of log.level."));
  return key::map("levels", std::move(keys), "Least severity of the messages of single components.");
}

}  // namespace

KeySpec health() {
  const Health defaults;
  std::vector<KeySpec> keys{
      key::text("path", defaults.path, "Path on the public listeners that answers whether all is well; \"\": none.")
          .of_format(format::kUrlPath)
          .may_be_empty(),
      key::text("token", std::nullopt, "Who sends it as a bearer token sees each check.").secret(),
      key::texts("allow", {}, "Networks from which each check is seen without a token.").of_format(format::kCidr),
      health_checks(),
  };
  return key::map("health", std::move(keys), "The health endpoint and what it looks at.");
}

KeySpec log_bodies(bool on_route) {
  const LogBodies defaults;
  constexpr std::int64_t kMostTold = 256 * 1024;
  const auto or_none = [on_route](auto value) { return on_route ? std::nullopt : std::optional(value); };
  KeySpec enabled = key::boolean("enabled", defaults.enabled, "Write the bodies of requests and responses to the log, redacted.");
  KeySpec types = key::texts("content_types", defaults.content_types, "Types whose bodies are written: application/json, text/*, *+json.");
  if (on_route) enabled.default_yaml = types.default_yaml = std::nullopt;
  std::vector<KeySpec> keys{
      std::move(enabled),
      key::bytes("max_size", or_none(defaults.max_size), "How much of a body is written.").within(1, kMostTold),
      std::move(types).within(0, 32),
  };
  KeySpec bodies = key::map("bodies", std::move(keys), "Bodies in the log, for finding a mistake; never leave it on.");
  return on_route ? std::move(bodies).optional() : bodies;
}

KeySpec log() {
  const Log defaults;
  std::vector<KeySpec> keys{
      key::choice("level", {"trace", "debug", "info", "warn", "error", "off"}, "info",
                  "Least severity of Gatehouse's own messages."),
      log_levels(),
      key::choice("format", {"json", "text"}, "json", "One JSON object a line, or text for people."),
      key::text("output", defaults.output, "stdout, stderr, or the path of a file.").of_format(format::kFilePath),
      redact(),
      access_log(),
      log_bodies(false),
      key::bytes("queue", defaults.queue, "Memory for lines that wait to be written.").within(64 * 1024, 1 << 30),
      key::choice("overflow", {"drop", "block"}, "drop", "When the queue is full: drop lines and count them, or wait."),
  };
  return key::map("log", std::move(keys), "Gatehouse's logs.");
}

KeySpec admin() {
  return key::map("admin",
                  {key::text("address", to_string(Admin{}.address),
                             "Where /health, /livez, /readyz, /startupz and /metrics are served.")
                       .of_format(kListenAddressFormat)},
                  "The port for operators.");
}

KeySpec metrics() {
  return key::map("metrics",
                  {key::integer("max_series", Metrics{}.max_series,
                                "Combinations of route, method and status that are counted apart; the rest is counted together.")
                       .within(10, 100000)},
                  "What /metrics holds.");
}

KeySpec heartbeat() {
  const HeartbeatMonitor defaults;
  std::vector<KeySpec> keys{
      key::text("url", std::nullopt, "Called while /readyz holds.").of_format(format::kUrl).secret().required(),
      key::text("fail_url", std::nullopt, "Called while it does not, once it did.").of_format(format::kUrl).secret(),
      a_while(key::duration("interval", defaults.interval, "From one call to the next.")),
      a_while(key::duration("timeout", defaults.timeout, "How long a call may take.")),
  };
  return key::map("heartbeat", std::move(keys), "An external monitor that notices when calls stay away.").or_just("url").optional();
}

KeySpec openapi() {
  const OpenApi defaults;
  std::vector<KeySpec> keys{
      key::text("url", std::nullopt, "The path of the app's OpenAPI document, such as /openapi.json.").of_format(format::kUrlPath).required(),
      a_while(key::duration("interval", defaults.interval, "How often it is asked for again; every 2s while there is none.")),
      key::integer("max_templates", defaults.max_templates, "Paths that are taken from it.").within(1, 2000),
  };
  return key::map("openapi", std::move(keys), "Where requests that match no route get the name they are counted by.").or_just("url").optional();
}

}  // namespace gatehouse::keys
