#include "config/bind.hpp"

#include "config/address.hpp"
#include "config/bind_health.hpp"
#include "config/service_url.hpp"
#include "config/status_ranges.hpp"

#include <algorithm>
#include <set>

namespace gatehouse {
namespace {

std::vector<Certificate> read_certificates(const OptionsReader& tls) {
  std::vector<Certificate> certificates;
  for (const OptionsReader& reader : tls.maps("certificates"))
    certificates.push_back({reader.file("certificate"), reader.file("private_key")});
  return certificates;
}

ListenerTls read_tls(OptionsReader reader) {
  ListenerTls tls;
  tls.certificates = read_certificates(reader);
  tls.profile = reader.choice<TlsProfile>("profile");
  tls.self_signed = reader.boolean("self_signed");
  if (tls.self_signed && !tls.certificates.empty())
    reader.mistake("self_signed", "excludes certificates; give one of them");
  if (!tls.self_signed && !reader.has_mistake("certificates") && !reader.has_mistake("self_signed") &&
      tls.certificates.empty())
    reader.mistake("needs certificates: [{certificate: ..., private_key: ...}], or self_signed: true");
  return tls;
}

std::vector<Listener> read_listeners(const OptionsReader& top) {
  std::vector<Listener> listeners;
  for (OptionsReader& reader : top.maps("listeners")) {
    Listener listener;
    listener.address = parse_listen_address(reader.text("address")).address;
    if (reader.has("tls")) listener.tls = read_tls(reader.map("tls"));
    listener.redirect_to_https = reader.boolean("redirect_to_https");
    listener.proxy_protocol = reader.boolean("proxy_protocol");
    if (listener.tls && listener.redirect_to_https)
      reader.mistake("redirect_to_https", "is for listeners without tls; this one speaks https already");
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

// SO_REUSEPORT would let the kernel accept both and share the connections out between them.
void refuse_overlaps(const Config& config, const LoadedSettings& settings, const OptionsReader& top) {
  const auto is_known = [](const Address& address) { return address.is_unix() || address.port != 0; };
  std::vector<OptionsReader> readers = top.maps("listeners");
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const Address& address = config.listeners[i].address;
    for (std::size_t j = 0; j < i; ++j) {
      const Address& before = config.listeners[j].address;
      if (!is_known(address) || !is_known(before) || !overlap(before, address)) continue;
      readers[i].mistake("address", to_string(address) + " takes the same connections as listeners[" +
                                        std::to_string(j) + "] (" + to_string(before) +
                                        "); change or remove one of them");
      break;
    }
  }
  OptionsReader admin = top.map("admin");
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const Address& address = config.listeners[i].address;
    if (!is_known(address) || !is_known(config.admin.address) || !overlap(address, config.admin.address)) continue;
    const bool tell_listener = !settings.values.child("admin")->is_given();
    const std::string what = " takes the same connections as ";
    if (tell_listener)
      readers[i].mistake("address", to_string(address) + what + "the admin port (" + to_string(config.admin.address) +
                                        "); change one of them");
    else
      admin.mistake("address", to_string(config.admin.address) + what + "listeners[" + std::to_string(i) + "] (" +
                                   to_string(address) + "); change one of them");
    break;
  }
}

// Of a map with `url` or `urls`.
std::vector<Address> read_addresses(OptionsReader& reader) {
  std::vector<Address> addresses;
  const bool broken = reader.has_mistake("url") || reader.has_mistake("urls");
  if (reader.has("url") && reader.has("urls") && !broken) reader.mistake("urls", "excludes url; give one of them");
  if (reader.has("url")) addresses.push_back(parse_upstream_url(reader.text("url")).address);
  const std::vector<std::string> urls = reader.texts("urls");
  for (std::size_t i = 0; i < urls.size(); ++i) {
    Address address = parse_upstream_url(urls[i]).address;
    if (!broken && std::find(addresses.begin(), addresses.end(), address) != addresses.end())
      reader.mistake("urls", i, "is an address of this pool already");
    addresses.push_back(std::move(address));
  }
  return addresses;
}

void read_pools(OptionsReader& reader, Upstream& upstream) {
  for (OptionsReader& pool : reader.maps("pools")) {
    UpstreamPool made{pool.text("name"), read_addresses(pool)};
    if (made.addresses.empty() && !reader.has_mistake("pools")) pool.mistake("url", "is missing; it must be given, or urls");
    const bool known = std::any_of(upstream.pools.begin(), upstream.pools.end(), [&](const UpstreamPool& before) { return before.name == made.name; });
    if (known && !pool.has_mistake("name")) pool.mistake("name", "is the name of a pool above, too");
    upstream.pools.push_back(std::move(made));
  }
  upstream.named = true;
  upstream.active = upstream.pools.front().name;
  for (const std::string_view key : {"url", "urls"})
    if (reader.has(key) && !reader.has_mistake(key)) reader.mistake(key, "excludes pools; give one of them");
}

void judge_active(OptionsReader& reader, Upstream& upstream) {
  if (reader.has_mistake("active") || reader.has_mistake("pools")) return;
  if (!reader.has("active")) {
    if (upstream.pools.size() > 1) reader.mistake("active", "is missing; it names the pool that serves after a start");
    return;
  }
  upstream.active = reader.text("active");
  std::string names;
  for (const UpstreamPool& pool : upstream.pools) {
    if (pool.name == upstream.active && upstream.named) return;
    names += (names.empty() ? "" : ", ") + pool.name;
  }
  reader.mistake("active", upstream.named ? "is not the name of a pool; the pools are " + names : "says nothing without pools");
}

Upstream read_upstream(OptionsReader reader) {
  Upstream upstream;
  if (reader.has("pools"))
    read_pools(reader, upstream);
  else
    upstream.pools.push_back({std::string(kOnlyPool), read_addresses(reader)});
  judge_active(reader, upstream);
  if (reader.has("sticky")) {
    upstream.sticky = Sticky{reader.map("sticky").text("cookie")};
    if (upstream.pools.size() < 2 && !reader.has_mistake("pools")) reader.mistake("sticky", "says nothing without two pools");
  }
  const OptionsReader retry = reader.map("retry");
  upstream.retry = {retry.number("budget"), static_cast<int>(retry.integer("minimum"))};
  upstream.connect_timeout = reader.duration("connect_timeout");
  upstream.first_byte_timeout = reader.duration("first_byte_timeout");
  upstream.idle_timeout = reader.duration("idle_timeout");
  upstream.read_idle_timeout = reader.duration("read_idle_timeout");
  upstream.max_connections = static_cast<int>(reader.integer("max_connections"));
  upstream.wait_for_app = reader.duration("wait_for_app");
  upstream.wait_queue = static_cast<int>(reader.integer("wait_queue"));
  upstream.replay = reader.boolean("replay");
  if (reader.has("circuit")) {
    const OptionsReader circuit = reader.map("circuit");
    upstream.circuit = CircuitBreaker{static_cast<int>(circuit.integer("failures")), circuit.duration("slow"),
                                      circuit.duration("open_for"), static_cast<int>(circuit.integer("trials"))};
  }
  if (reader.has("health")) {
    const OptionsReader health = reader.map("health");
    upstream.health =
        UpstreamHealth{health.text("path"), read_probe(health), parse_status_ranges(health.text("expect_status"))};
  }
  return upstream;
}

Limits read_limits(const OptionsReader& reader) {
  Limits limits;
  limits.body = reader.bytes("body");
  limits.headers = reader.bytes("headers");
  limits.header_count = static_cast<int>(reader.integer("header_count"));
  limits.target = reader.bytes("target");
  limits.connections = static_cast<int>(reader.integer("connections"));
  limits.connections_per_address = static_cast<int>(reader.integer("connections_per_address"));
  limits.trailers = reader.bytes("trailers");
  limits.chunk_extensions = reader.bytes("chunk_extensions");
  return limits;
}

Timeouts read_timeouts(const OptionsReader& reader) {
  Timeouts timeouts;
  timeouts.tls_handshake = reader.duration("tls_handshake");
  timeouts.request_head = reader.duration("request_head");
  timeouts.body_idle = reader.duration("body_idle");
  timeouts.body_minimum_rate = static_cast<Bytes>(reader.integer("body_minimum_rate"));
  timeouts.write_idle = reader.duration("write_idle");
  timeouts.keep_alive = reader.duration("keep_alive");
  timeouts.tunnel_idle = reader.duration("tunnel_idle");
  return timeouts;
}

LogBodies read_log_bodies(const OptionsReader& reader, LogBodies bodies) {
  if (reader.has("enabled")) bodies.enabled = reader.boolean("enabled");
  if (reader.has("max_size")) bodies.max_size = reader.bytes("max_size");
  if (reader.has("content_types")) bodies.content_types = reader.texts("content_types");
  return bodies;
}

Log read_log(const OptionsReader& reader) {
  const OptionsReader redact = reader.map("redact");
  const OptionsReader access = reader.map("access");
  Log log;
  log.level = reader.choice<LogLevel>("level");
  log.format = reader.choice<LogFormatSetting>("format");
  const bool is_stream = reader.text("output") == "stdout" || reader.text("output") == "stderr";
  log.output = is_stream ? reader.text("output") : reader.file("output");
  const OptionsReader levels = reader.map("levels");
  for (const std::string_view component : kLogComponents)
    if (levels.has(component)) log.levels.emplace(component, levels.choice<LogLevel>(component));
  log.redact = {redact.texts("names"),
                redact.texts("headers"),
                redact.texts("patterns"),
                redact.choice<RedactActionSetting>("action"),
                redact.secret("hash_key"),
                redact.boolean("emails"),
                redact.choice<ClientAddressesSetting>("client_addresses")};
  log.access = {access.boolean("enabled"),
                access.choice<AccessFieldsSetting>("fields"),
                access.boolean("exclude_health"),
                access.texts("exclude_paths"),
                access.texts("headers"),
                access.texts("response_headers"),
                access.number("sample"),
                access.duration("minimum_duration")};
  log.bodies = read_log_bodies(reader.map("bodies"), {});
  log.queue = reader.bytes("queue");
  log.overflow = reader.choice<OverflowSetting>("overflow");
  return log;
}

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

// The same text for matches that take the same requests. {names} do not tell paths apart.
std::vector<std::string> match_keys(const RouteMatch& match) {
  std::string path;
  bool in_name = false;
  for (const char c : match.path) {
    if (c == '{') path += "{}";
    in_name = c == '{' || (in_name && c != '}');
    if (!in_name && c != '}') path += c;
  }
  std::vector<std::string> keys;
  for (const std::string& method : match.methods) keys.push_back(match.host + " " + path + " " + method);
  if (match.methods.empty()) keys.push_back(match.host + " " + path + " *");
  return keys;
}

std::vector<Route> read_routes(const OptionsReader& top, const Config& config) {
  std::vector<Route> routes;
  std::set<std::string> known;
  for (OptionsReader& reader : top.maps("routes")) {
    OptionsReader match = reader.map("match");
    Route route{{match.text("path"), match.texts("methods"), lower_case(match.text("host"))},
                config.limits.body,
                config.upstream.first_byte_timeout,
                config.upstream.read_idle_timeout,
                config.log.bodies};
    const OptionsReader limits = reader.map("limits");
    const OptionsReader upstream = reader.map("upstream");
    if (limits.has("body")) route.body_limit = limits.bytes("body");
    if (upstream.has("first_byte_timeout")) route.first_byte_timeout = upstream.duration("first_byte_timeout");
    if (upstream.has("read_idle_timeout")) route.read_idle_timeout = upstream.duration("read_idle_timeout");
    if (const OptionsReader log = reader.map("log"); log.has("bodies"))
      route.log_bodies = read_log_bodies(log.map("bodies"), route.log_bodies);
    bool is_new = true;
    for (const std::string& text : match_keys(route.match)) is_new = known.insert(text).second && is_new;
    if (!is_new && !reader.has_mistake("match")) match.mistake("takes the same requests as a route above");
    routes.push_back(std::move(route));
  }
  return routes;
}

// Secrets stand in these: what is wrong is told without a word of them.
void judge_monitor(OptionsReader& reader, std::string_view key) {
  const Secret secret = reader.secret(key);
  if (secret.empty() || reader.has_mistake(key)) return;
  ServiceUrl url;
  const std::string_view problem = parse_service_url(secret.reveal(), url);
  if (!problem.empty()) return reader.mistake(key, std::string(problem));
  if (url.scheme != "http" && url.scheme != "https") return reader.mistake(key, "must begin with http:// or https://");
  if (url.host.empty()) return reader.mistake(key, "has no host");
  if (!(url.user.empty() && url.password.empty())) reader.mistake(key, "has a user or a password, which are not sent");
}

std::optional<HeartbeatMonitor> read_heartbeat(const OptionsReader& top) {
  if (!top.has("heartbeat")) return std::nullopt;
  OptionsReader reader = top.map("heartbeat");
  judge_monitor(reader, "url");
  judge_monitor(reader, "fail_url");
  return HeartbeatMonitor{reader.secret("url"), reader.secret("fail_url"), reader.duration("interval"), reader.duration("timeout")};
}

std::optional<OpenApi> read_openapi(const OptionsReader& top) {
  if (!top.has("openapi")) return std::nullopt;
  const OptionsReader reader = top.map("openapi");
  return OpenApi{reader.text("url"), reader.duration("interval"), static_cast<int>(reader.integer("max_templates"))};
}

Paths read_paths(const OptionsReader& reader) {
  return {reader.choice<EncodedSlash>("encoded_slash"), reader.choice<DotSegments>("dot_segments"),
          reader.choice<DoubleSlash>("double_slash")};
}

}  // namespace

Config bind(const LoadedSettings& settings, Mistakes& mistakes) {
  const OptionsReader top(settings.values, nullptr, {}, mistakes);
  Config config;
  config.listeners = read_listeners(top);
  config.admin.address = parse_listen_address(top.map("admin").text("address")).address;
  config.metrics.max_series = static_cast<int>(top.map("metrics").integer("max_series"));
  config.heartbeat = read_heartbeat(top);
  config.openapi = read_openapi(top);
  config.workers = static_cast<int>(top.integer("workers"));
  config.upstream = read_upstream(top.map("upstream"));
  const SettingValue& upstream = *settings.values.child("upstream");
  if (!config.upstream.named && config.upstream.pools.front().addresses.empty() && upstream.is_given() && !upstream.broken)
    top.map("upstream").mistake("url", "is missing; it must be given, or urls or pools");
  config.limits = read_limits(top.map("limits"));
  config.timeouts = read_timeouts(top.map("timeouts"));
  config.header_names.allow = top.map("header_names").texts("allow");
  config.paths = read_paths(top.map("paths"));
  config.trusted_proxies = top.texts("trusted_proxies");
  config.forwarded = {top.map("forwarded").choice<ForwardedField>("field"), static_cast<int>(top.map("forwarded").integer("hops"))};
  config.health = read_health(top.map("health"));
  config.log = read_log(top.map("log"));
  const OptionsReader shutdown = top.map("shutdown");
  config.shutdown = {shutdown.duration("linger"), shutdown.duration("deadline"), shutdown.duration("app_deadline")};
  config.routes = read_routes(top, config);
  refuse_overlaps(config, settings, top);
  return config;
}

}  // namespace gatehouse
