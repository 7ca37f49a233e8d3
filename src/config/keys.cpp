#include "config/keys.hpp"

#include "config/address.hpp"
#include "config/config.hpp"

#include <stdexcept>

namespace gatehouse {
namespace {

// Defaults come from the structs, so that a Config made in code and one made from a file agree.

constexpr std::int64_t kMost = 1'000'000;
constexpr milliseconds kNone{0};
constexpr milliseconds kShortest{1};
constexpr milliseconds kDay = hours{24};

KeySpec at_least_one(KeySpec spec) { return std::move(spec).within(1, kMost); }
KeySpec a_while(KeySpec spec) { return std::move(spec).within(kShortest, kDay); }
KeySpec a_while_or_none(KeySpec spec) { return std::move(spec).within(kNone, kDay); }

std::vector<KeySpec> probe_keys(const Probe& defaults) {
  return {
      a_while(key::duration("interval", defaults.interval, "Time from one probe to the next.")),
      a_while(key::duration("timeout", defaults.timeout, "How long one probe may take.")),
      key::integer("rise", defaults.rise, "Good answers in a row after which it counts as healthy.").within(1, 1000),
      key::integer("fall", defaults.fall, "Bad answers in a row after which it counts as unhealthy.").within(1, 1000),
  };
}

KeySpec expect_status(std::string_view doc) {
  return key::text("expect_status", "200-399", doc).of_format(format::kStatusRange);
}

KeySpec certificates() {
  const auto file = [](std::string_view name, std::string_view doc) {
    return key::text(name, std::nullopt, doc).of_format(format::kReadableFile).required();
  };
  return key::maps("certificates",
                   {file("certificate", "PEM file with the certificate and those that lead to its root."),
                    file("private_key", "PEM file with the private key of the certificate.")},
                   "Certificates; the one whose name the client asks for is shown, else the first.")
      .within(0, 1000);
}

KeySpec listener_tls() {
  const ListenerTls defaults;
  std::vector<KeySpec> keys{
      certificates(),
      key::choice("profile", {"intermediate", "modern"}, "intermediate",
                  "Mozilla's guideline: intermediate takes TLS 1.2 and 1.3, modern TLS 1.3 alone."),
      key::boolean("self_signed", defaults.self_signed, "Make a certificate at start, for trying things out."),
  };
  return key::map("tls", std::move(keys), "TLS on this listener; without it the listener speaks plain HTTP.")
      .optional();
}

KeySpec listeners() {
  const Listener defaults;
  std::vector<KeySpec> keys{
      key::text("address", std::nullopt,
                "Where to listen: 0.0.0.0:8080, [::]:8080 (IPv6 and IPv4) or unix:/run/gatehouse.sock.")
          .of_format(kListenAddressFormat)
          .required(),
      listener_tls(),
      key::boolean("redirect_to_https", defaults.redirect_to_https,
                   "Answer every request with a redirect to https://."),
      key::boolean("proxy_protocol", defaults.proxy_protocol,
                   "Expect a PROXY protocol header (version 1 or 2) on every connection."),
  };
  return key::maps("listeners", std::move(keys), "Where clients connect.")
      .with_default_yaml("[{address: \"" + to_string(defaults.address) + "\"}]")
      .within(1, 64);
}

KeySpec upstream_health() {
  const UpstreamHealth defaults;
  std::vector<KeySpec> keys = probe_keys(defaults.probe);
  keys.insert(keys.begin(), key::text("path", std::nullopt, "Path that the app answers while it is well.")
                                .of_format(format::kUrlPath)
                                .required());
  keys.push_back(expect_status("Statuses that count as a good answer: 200, 200-399 or 200,204."));
  return key::map("health", std::move(keys), "Ask the app itself whether it is well; without it only connections tell.")
      .optional();
}

KeySpec circuit() {
  const CircuitBreaker defaults;
  std::vector<KeySpec> keys{
      key::integer("failures", defaults.failures, "Requests in a row that the app did not answer.").within(1, 100000),
      a_while_or_none(key::duration("slow", defaults.slow, "An answer that takes longer to begin counts as a failure; 0s: none does.")),
      a_while(key::duration("open_for", defaults.open_for, "How long requests are refused before a few are tried.")),
      key::integer("trials", defaults.trials, "Requests tried at the same time, and good answers after which all may pass.").within(1, 1000),
  };
  return key::map("circuit", std::move(keys), "Refuse requests at once while the app fails them, instead of letting each one wait; counted by each worker.")
      .optional();
}

KeySpec urls() {
  return key::texts("urls", {}, "Several addresses of the same app: each request goes to the one with the fewest requests in flight.")
      .of_format(kUpstreamUrlFormat)
      .within(0, 32);
}

KeySpec pools() {
  std::vector<KeySpec> keys{
      key::text("name", std::nullopt, "What `gatehouse switch` and the metrics call it.").of_format(format::kName).required(),
      key::text("url", std::nullopt, "Its only address.").of_format(kUpstreamUrlFormat),
      urls(),
  };
  return key::maps("pools", std::move(keys), "Several releases of the app, of which one serves, or two share the requests (blue/green).").within(0, 8);
}

KeySpec sticky() {
  return key::map("sticky", {key::text("cookie", Sticky{}.cookie, "Name of the cookie that holds the name of the pool.").of_format(format::kName)},
                  "While two pools share the requests, keep each client with one of them.")
      .optional();
}

KeySpec retry() {
  const Retry defaults;
  return key::map("retry",
                  {key::number("budget", defaults.budget, "At most this part of the requests of the last 10 s is asked again.").within_numbers(0, 1),
                   key::integer("minimum", defaults.minimum, "So many a second may be asked again however few requests there are.").within(0, 10000)},
                  "Ask another address, where there is one, when the first fails before any answer and the request can be sent again.");
}

KeySpec upstream() {
  const Upstream defaults;
  std::vector<KeySpec> keys{
      key::text("url", std::nullopt, "The app: http://host:port or unix:/path/of/socket.").of_format(kUpstreamUrlFormat),
      urls(),
      pools(),
      key::text("active", std::nullopt, "The pool that serves after a start; needed where there are several.").of_format(format::kName),
      sticky(),
      retry(),
      a_while(key::duration("connect_timeout", defaults.connect_timeout,
                            "From the start of a connection to its being open.")),
      a_while(key::duration("first_byte_timeout", defaults.first_byte_timeout,
                            "From the end of the request to the first byte of the response.")),
      a_while(key::duration("idle_timeout", defaults.idle_timeout,
                            "How long an unused connection to the app is kept; shorter than the app keeps it.")),
      a_while_or_none(key::duration("read_idle_timeout", defaults.read_idle_timeout,
                                    "From one byte of a response to the next; 0s: no bound.")),
      at_least_one(
          key::integer("max_connections", defaults.max_connections, "Connections to the app, of the whole process.")),
      key::duration("wait_for_app", defaults.wait_for_app, "How long a request waits for an app that is not there yet.")
          .within(kNone, hours{1}),
      key::integer("wait_queue", defaults.wait_queue,
                   "Requests that may wait for a connection to the app at the same time.")
          .within(0, kMost),
      key::boolean(
          "replay", defaults.replay,
          "Send a request again when the kept connection it went out on was closed before any answer, and the method "
          "allows it."),
      upstream_health(),
      circuit(),
  };
  return key::map("upstream", std::move(keys), "The app behind Gatehouse; a URL alone is enough.")
      .or_just("url")
      .required();
}

KeySpec limits() {
  const Limits defaults;
  constexpr std::int64_t kMostHead = 1 << 20;
  return key::map(
      "limits",
      {
          key::bytes("body", defaults.body, "Largest request body; more is answered with 413; 0B: no bodies."),
          key::bytes("headers", defaults.headers, "All header fields of a request together; more is answered with 431.")
              .within(256, kMostHead),
          key::integer("header_count", defaults.header_count, "Header fields of a request; more are answered with 431.")
              .within(1, 10000),
          key::bytes("target", defaults.target, "The request target (path and query); more is answered with 414.")
              .within(16, kMostHead),
          at_least_one(key::integer("connections", defaults.connections, "Client connections at the same time.")),
          key::integer("connections_per_address", defaults.connections_per_address,
                       "Client connections of one address at the same time; 0: no bound.")
              .within(0, kMost),
          key::bytes("trailers", defaults.trailers, "All trailer fields of a message together.").within(0, kMostHead),
          key::bytes("chunk_extensions", defaults.chunk_extensions, "Chunk extensions of one message together.")
              .within(0, kMostHead),
      },
      "Bounds on what a client may send.");
}

KeySpec timeouts() {
  const Timeouts defaults;
  return key::map(
      "timeouts",
      {
          a_while(key::duration("tls_handshake", defaults.tls_handshake,
                                "From the connection to the end of the TLS handshake.")),
          a_while(key::duration("request_head", defaults.request_head,
                                "From the first byte of a request to the end of its header.")),
          a_while(key::duration("body_idle", defaults.body_idle, "From one byte of a request body to the next.")),
          key::integer("body_minimum_rate", static_cast<std::int64_t>(defaults.body_minimum_rate),
                       "Bytes a second that a request body must reach; 0: no bound.")
              .within(0, kMost),
          a_while(
              key::duration("write_idle", defaults.write_idle, "How long a client may take nothing of a response.")),
          a_while(key::duration("keep_alive", defaults.keep_alive,
                                "From the end of a response to the next request on the same connection.")),
          a_while(key::duration("tunnel_idle", defaults.tunnel_idle,
                                "How long a WebSocket or other tunnel may be silent in both directions.")),
      },
      "How long a client may take. There is no bound on the whole of a request.");
}

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

KeySpec log_levels() {
  std::vector<KeySpec> keys;
  for (const std::string_view component : kLogComponents)
    keys.push_back(key::choice(component, {"trace", "debug", "info", "warn", "error", "off"}, std::nullopt,
                               "Least severity of messages of " + std::string(component) + "; else that of log.level."));
  return key::map("levels", std::move(keys), "Least severity of the messages of single components.");
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

KeySpec paths() {
  std::vector<KeySpec> keys{
      key::choice("encoded_slash", {"reject", "keep"}, "reject", "A path with %2F or %5C."),
      key::choice("dot_segments", {"reject", "normalise"}, "reject", "A path with . or .. parts, encoded or not."),
      key::choice("double_slash", {"keep", "merge"}, "keep", "A path with // in it."),
  };
  return key::map("paths", std::move(keys), "Paths that two programs might read differently.");
}

KeySpec shutdown() {
  const Shutdown defaults;
  std::vector<KeySpec> keys{
      key::duration("linger", defaults.linger, "From SIGTERM to the end of accepting, while readiness already fails.")
          .within(kNone, hours{1}),
      key::duration("deadline", defaults.deadline, "From the end of accepting to the end of requests in flight.")
          .within(kNone, hours{1}),
      key::duration("app_deadline", defaults.app_deadline,
                    "With gatehouse exec: from the signal that ends the app to the one that kills it.")
          .within(kNone, hours{1}),
  };
  return key::map("shutdown", std::move(keys), "What happens at SIGTERM.");
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

KeySpec header_names() {
  return key::map(
      "header_names",
      {key::texts("allow", {}, "Names with _ or . that pass; all others are dropped.").of_format(format::kFieldName)},
      "Which header fields reach the app.");
}

KeySpec forwarded() {
  const Forwarded defaults;
  std::vector<KeySpec> keys{
      key::choice("field", {"x_forwarded_for", "forwarded"}, "x_forwarded_for",
                  "The field that they write: X-Forwarded-For (with X-Forwarded-Proto), or Forwarded (RFC 7239); the "
                  "other one may be the client's invention and is not read."),
      key::integer("hops", defaults.hops, "How many addresses are read, from the right.").within(1, 100),
  };
  return key::map("forwarded", std::move(keys), "Where trusted proxies say who the client is.");
}

std::vector<KeySpec> core_keys() {
  return {
      listeners(),
      admin(),
      metrics(),
      heartbeat(),
      openapi(),
      key::integer("workers", std::nullopt,
                   "Threads that serve: a number, or auto for as many as this container may use.")
          .within(1, 256)
          .or_word("auto")
          .with_default_yaml("auto"),
      upstream(),
      limits(),
      timeouts(),
      header_names(),
      paths(),
      key::texts("trusted_proxies", {},
                 "Networks of the proxies in front whose word on the client's address and scheme is believed.")
          .of_format(format::kCidr)
          .within(0, 10000),
      forwarded(),
      health(),
      log(),
      shutdown(),
  };
}

KeySpec route_match() {
  std::vector<KeySpec> keys{
      key::text("path", RouteMatch{}.path,
                "/login (exactly), /api/* (everything below) or /items/{id} (one part of any text).")
          .of_format(format::kRoutePath),
      key::texts("methods", {}, "Request methods; none given: every method.").of_format(format::kMethod),
      key::text("host", std::nullopt, "Host name; *.example.com for every name below; none given: every host.")
          .of_format(format::kHostName),
  };
  return key::map("match", std::move(keys), "Which requests these settings are for.").required();
}

// A section as a route may refine it. What it requires may stand in the section at the top; the loader looks at both.
KeySpec on_a_route(KeySpec section) {
  section.is_required = false;
  if (section.type != KeyType::kMap) return section;
  section.is_optional_map = true;
  for (KeySpec& child : section.children) child.is_required = false;
  return section;
}

// What may differ on a route. No defaults: where a route says nothing, the whole's value holds.
KeySpec routes(std::span<const Section> sections) {
  std::vector<KeySpec> keys{
      route_match(),
      key::map("limits", {key::bytes("body", std::nullopt, "Largest request body on this route.")},
               "Bounds on what a client may send.")
          .optional(),
      key::map("upstream",
               {a_while(key::duration("first_byte_timeout", std::nullopt,
                                      "From the end of the request to the first byte of the response.")),
                a_while_or_none(key::duration("read_idle_timeout", std::nullopt,
                                              "From one byte of a response to the next; 0s: no bound."))},
               "How the app is called on this route.")
          .optional(),
      key::map("log", {log_bodies(true)}, "What is logged on this route.").optional(),
  };
  for (const Section& section : sections)
    if (section.per_route) keys.push_back(on_a_route(section.spec));
  return key::maps("routes", std::move(keys), "Settings for some of the requests.").within(0, 1000);
}

}  // namespace

KeySpec file_keys(std::span<const Section> sections) {
  std::vector<KeySpec> keys = core_keys();
  keys.push_back(routes(sections));
  for (const Section& section : sections) {
    for (const KeySpec& known : keys)
      if (known.name == section.spec.name) throw std::logic_error("two sections are called " + section.spec.name);
    keys.push_back(section.spec);
  }
  return key::map("", std::move(keys), "");
}

}  // namespace gatehouse
