#include "config/keys.hpp"

#include "config/address.hpp"
#include "config/config.hpp"
#include "config/key_bounds.hpp"
#include "config/keys_operation.hpp"

#include <stdexcept>

namespace gatehouse {
namespace {

using namespace keys;

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
      keys::admin(),
      keys::metrics(),
      keys::heartbeat(),
      keys::openapi(),
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
      keys::health(),
      keys::log(),
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
      key::map("log", {keys::log_bodies(true)}, "What is logged on this route.").optional(),
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
