#include "app/settings.hpp"

#include <algorithm>

namespace gatehouse {

proxy::ServingSettings serving_settings(const Config& config) {
  proxy::ServingSettings settings;
  settings.request.limits = {config.limits.target, config.limits.headers, static_cast<std::size_t>(config.limits.header_count)};
  settings.request.target = {static_cast<http::SlashPolicy>(config.paths.encoded_slash),
                             static_cast<http::DotPolicy>(config.paths.dot_segments),
                             static_cast<http::DoubleSlashPolicy>(config.paths.double_slash)};
  settings.request.allowed_names = config.header_names.allow;
  settings.chunks = {config.limits.chunk_extensions, config.limits.trailers};
  std::vector<Cidr> trusted;
  for (const std::string& text : config.trusted_proxies)
    if (const auto cidr = parse_cidr(text)) trusted.push_back(*cidr);
  settings.forwarded.trusted = CidrSet(trusted);
  settings.forwarded.source = config.forwarded.field == ForwardedField::kForwarded ? ForwardedSource::kForwarded : ForwardedSource::kXForwardedFor;
  settings.forwarded.max_hops = static_cast<std::size_t>(config.forwarded.hops);
  settings.replay = config.upstream.replay;
  const Timeouts& timeouts = config.timeouts;
  settings.deadlines = {timeouts.tls_handshake, timeouts.request_head, timeouts.body_idle, timeouts.body_minimum_rate,
                        timeouts.write_idle,    timeouts.keep_alive,   timeouts.tunnel_idle};
  return settings;
}

namespace {

proxy::BodyLogSettings body_log_settings(const LogBodies& bodies) {
  return {bodies.enabled, static_cast<std::size_t>(bodies.max_size), bodies.content_types};
}

}  // namespace

proxy::RouteSettings route_settings(const Config& config, std::optional<std::size_t> index) {
  proxy::RouteSettings settings;
  settings.body_limit = config.limits.body;
  settings.first_byte_timeout = config.upstream.first_byte_timeout;
  settings.read_idle_timeout = config.upstream.read_idle_timeout;
  settings.log_bodies = body_log_settings(config.log.bodies);
  if (!index) return settings;
  const Route& route = config.routes[*index];
  settings.path = route.match.path;
  settings.methods = route.match.methods;
  settings.host = route.match.host;
  settings.body_limit = route.body_limit;
  settings.first_byte_timeout = route.first_byte_timeout;
  settings.read_idle_timeout = route.read_idle_timeout;
  settings.log_bodies = body_log_settings(route.log_bodies);
  return settings;
}

const UpstreamPool& active_pool(const Upstream& upstream) {
  const auto found = std::find_if(upstream.pools.begin(), upstream.pools.end(), [&](const UpstreamPool& pool) { return pool.name == upstream.active; });
  return found == upstream.pools.end() ? upstream.pools.front() : *found;
}

std::string describe(const Upstream& upstream) {
  std::string text;
  for (const UpstreamPool& pool : upstream.pools) {
    if (upstream.named) text += (text.empty() ? "" : "; ") + pool.name + (pool.name == upstream.active ? " (active): " : ": ");
    for (const Address& address : pool.addresses) text += (&address == &pool.addresses.front() ? "" : ", ") + to_string(address);
  }
  return text;
}

upstream::ClusterSettings cluster_settings(const Upstream& upstream, const Address& address) {
  upstream::ClusterSettings settings;
  settings.host = address.host;
  settings.port = address.port;
  settings.unix_path = address.unix_path;
  settings.address = to_string(address);
  settings.authority = address.is_unix() ? "localhost" : settings.address;
  settings.connect_timeout = upstream.connect_timeout;
  settings.idle_timeout = upstream.idle_timeout;
  settings.wait_for_app = upstream.wait_for_app;
  settings.wait_queue = static_cast<std::size_t>(upstream.wait_queue);
  settings.max_connections = upstream.max_connections;
  if (upstream.circuit)
    settings.circuit = upstream::CircuitSettings{upstream.circuit->failures, upstream.circuit->slow, upstream.circuit->open_for, upstream.circuit->trials};
  return settings;
}

upstream::ProberSettings prober_settings(const Config& config) {
  upstream::ProberSettings settings;
  if (!config.upstream.health) return settings;
  const UpstreamHealth& health = *config.upstream.health;
  settings.path = health.path;
  settings.interval = health.probe.interval;
  settings.timeout = health.probe.timeout;
  settings.rise = health.probe.rise;
  settings.fall = health.probe.fall;
  settings.expected.clear();
  for (const StatusRange& range : health.expect_status) settings.expected.emplace_back(range.first, range.last);
  return settings;
}

LogLevels log_levels(const Log& log) {
  // In the order of LogLevel.
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                                                   spdlog::level::warn,  spdlog::level::err,   spdlog::level::off};
  const auto level_of = [&](LogLevel level) { return kLevels[static_cast<std::size_t>(level)]; };
  LogLevels levels{level_of(log.level), {}};
  for (const auto& [component, level] : log.levels) levels.components.emplace(component, level_of(level));
  return levels;
}

RedactOptions redact_options(const Redact& redact) {
  RedactOptions options;
  options.names = redact.names;
  options.names.insert(options.names.end(), redact.headers.begin(), redact.headers.end());
  options.patterns = redact.patterns;
  options.action = static_cast<RedactAction>(redact.action);
  options.client_address = static_cast<AddressAction>(redact.client_addresses);
  options.emails = redact.emails;
  options.hash_key = redact.hash_key.reveal();
  return options;
}

LoggingOptions logging_options(const Log& log) {
  LoggingOptions options;
  options.output = log.output;
  options.format = static_cast<LogFormat>(log.format);
  LogLevels levels = log_levels(log);
  options.level = levels.level;
  options.levels = std::move(levels.components);
  options.queue_bytes = log.queue;
  options.overflow = static_cast<LogOverflow>(log.overflow);
  return options;
}

net::TlsSettings tls_settings(const ListenerTls& tls) {
  net::TlsSettings settings;
  for (const Certificate& pair : tls.certificates) settings.certificates.push_back({pair.certificate, pair.private_key});
  settings.profile = tls.profile == TlsProfile::kModern ? net::TlsProfile::kModern : net::TlsProfile::kIntermediate;
  settings.self_signed = tls.self_signed;
  return settings;
}

proxy::RecorderSettings recorder_settings(const Config& config) {
  const AccessLog& access = config.log.access;
  proxy::RecorderSettings settings;
  settings.enabled = access.enabled;
  settings.exclude_own = access.exclude_health;
  settings.sample = access.sample;
  settings.format.fields = static_cast<AccessFields>(access.fields);
  settings.format.format = static_cast<LogFormat>(config.log.format);
  settings.format.request_headers = access.headers;
  settings.format.response_headers = access.response_headers;
  settings.minimum_duration = access.minimum_duration;
  for (const std::string& path : access.exclude_paths) settings.exclude_paths.emplace_back(path);
  return settings;
}

net::Endpoint endpoint_of(const Address& address) {
  const auto endpoint = address.is_unix() ? net::Endpoint::unix_path(address.unix_path) : net::Endpoint::ip(address.host, address.port);
  return endpoint ? *endpoint : net::Endpoint{};
}

}  // namespace gatehouse
