// Every setting and its default on one page. Plain values, made by load_config(), immutable afterwards and shared by
// the workers as one snapshot. What each key means to a user stands beside its name in keys.cpp.
#pragma once

#include <gatehouse/options.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Bytes kKiB = 1024;
constexpr Bytes kMiB = 1024 * kKiB;

// Where to listen or connect: host and port, or a Unix socket.
struct Address {
  std::string host;  // IP literal without brackets; for an upstream also a name
  std::uint16_t port = 0;
  std::string unix_path;  // not empty: a Unix socket, and the others say nothing

  bool is_unix() const noexcept { return !unix_path.empty(); }
  bool operator==(const Address&) const = default;
};
// As in the configuration: `127.0.0.1:80`, `[::1]:80`, `unix:/run/app.sock`.
std::string to_string(const Address& address);

struct Certificate {
  std::string certificate;  // paths of PEM files, ready to open
  std::string private_key;
  bool operator==(const Certificate&) const = default;
};

enum class TlsProfile : std::uint8_t { kIntermediate, kModern };

struct ListenerTls {
  std::vector<Certificate> certificates;  // empty exactly when self_signed
  TlsProfile profile = TlsProfile::kIntermediate;
  bool self_signed = false;
  bool operator==(const ListenerTls&) const = default;
};

struct Listener {
  Address address{"0.0.0.0", 8080, {}};  // host `::` takes IPv4 connections as well
  std::optional<ListenerTls> tls;
  bool redirect_to_https = false;
  bool proxy_protocol = false;
  bool operator==(const Listener&) const = default;
};

struct Admin {
  Address address{"127.0.0.1", 9901, {}};
  bool operator==(const Admin&) const = default;
};

struct Metrics {
  int max_series = 500;  // combinations of route, method and status
  bool operator==(const Metrics&) const = default;
};

struct StatusRange {
  int first = 200;
  int last = 399;
  bool operator==(const StatusRange&) const = default;
};

// How often something is asked, and how many answers in a row change the verdict.
struct Probe {
  milliseconds interval = seconds{5};
  milliseconds timeout = seconds{2};
  int rise = 1;
  int fall = 2;
  bool operator==(const Probe&) const = default;
};

struct UpstreamHealth {
  std::string path;
  Probe probe;
  std::vector<StatusRange> expect_status{{200, 399}};
  bool operator==(const UpstreamHealth&) const = default;
};

// When requests are refused at once because the app fails.
struct CircuitBreaker {
  int failures = 5;           // in a row
  milliseconds slow{0};       // zero: no answer is too slow
  milliseconds open_for = seconds{5};
  int trials = 3;
  bool operator==(const CircuitBreaker&) const = default;
};

// One app, at one address or several that are alike.
struct UpstreamPool {
  std::string name;
  std::vector<Address> addresses;
  bool operator==(const UpstreamPool&) const = default;
};

inline constexpr std::string_view kOnlyPool = "app";  // the name of a pool that has none of its own

// While traffic is split between two pools, a client stays with the one that its cookie names.
struct Sticky {
  std::string cookie = "gatehouse_pool";
  bool operator==(const Sticky&) const = default;
};

// How much may be asked again at another address.
struct Retry {
  double budget = 0.2;  // part of the requests of the last ten seconds
  int minimum = 3;      // a second, however few requests there are
  bool operator==(const Retry&) const = default;
};

struct Upstream {
  std::vector<UpstreamPool> pools;  // at least one
  std::string active{kOnlyPool};    // serves after a start
  bool named = false;               // the pools have names of their own
  std::optional<Sticky> sticky;
  Retry retry;
  milliseconds connect_timeout = seconds{3};
  milliseconds first_byte_timeout = seconds{60};
  milliseconds idle_timeout = seconds{4};
  milliseconds read_idle_timeout = seconds{60};  // zero: none
  int max_connections = 1024;                    // of the whole process
  milliseconds wait_for_app = milliseconds{0};
  int wait_queue = 256;
  bool replay = true;
  std::optional<UpstreamHealth> health;
  std::optional<CircuitBreaker> circuit;
  bool operator==(const Upstream&) const = default;
};

struct Limits {
  Bytes body = 10 * kMiB;
  Bytes headers = 16 * kKiB;
  int header_count = 100;
  Bytes target = 8 * kKiB;
  int connections = 10000;
  int connections_per_address = 0;  // zero: none
  Bytes trailers = 4 * kKiB;
  Bytes chunk_extensions = 1 * kKiB;
  bool operator==(const Limits&) const = default;
};

struct Timeouts {
  milliseconds tls_handshake = seconds{10};
  milliseconds request_head = seconds{15};
  milliseconds body_idle = seconds{60};
  Bytes body_minimum_rate = 240;  // bytes a second; zero: none
  milliseconds write_idle = seconds{60};
  milliseconds keep_alive = seconds{75};
  milliseconds tunnel_idle = hours{1};
  bool operator==(const Timeouts&) const = default;
};

struct HeaderNames {
  std::vector<std::string> allow;
  bool operator==(const HeaderNames&) const = default;
};

enum class EncodedSlash : std::uint8_t { kReject, kKeep };
enum class DotSegments : std::uint8_t { kReject, kNormalise };
enum class DoubleSlash : std::uint8_t { kKeep, kMerge };

struct Paths {
  EncodedSlash encoded_slash = EncodedSlash::kReject;
  DotSegments dot_segments = DotSegments::kReject;
  DoubleSlash double_slash = DoubleSlash::kKeep;
  bool operator==(const Paths&) const = default;
};

enum class CheckType : std::uint8_t { kPostgres, kRedis, kMysql, kHttp, kTcp, kFileAge, kDisk, kCommand };

// One thing that the app depends on. Which of the members count depends on the type; the loader has seen to it that
// they are there.
struct HealthCheck {
  std::string name;
  CheckType type = CheckType::kTcp;
  Secret url;                                          // postgres, redis, mysql, http, tcp
  std::string path;                                    // file_age, disk
  milliseconds maximum_age = minutes{0};               // file_age
  Bytes minimum_free = 0;                              // disk
  std::vector<std::string> command;                    // command: program and arguments
  std::vector<StatusRange> expect_status{{200, 399}};  // http
  bool critical = true;
  Probe probe{.interval = seconds{5}, .timeout = seconds{1}, .rise = 1, .fall = 2};
  bool operator==(const HealthCheck&) const = default;
};

struct Health {
  std::string path = "/health";  // on the public listeners; empty: not there
  Secret token;                  // empty: nobody sees details by token
  std::vector<std::string> allow;
  std::vector<HealthCheck> checks;
  bool operator==(const Health&) const = default;
};

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormatSetting : std::uint8_t { kJson, kText };
enum class OverflowSetting : std::uint8_t { kDrop, kBlock };
enum class AccessFieldsSetting : std::uint8_t { kMinimal, kDefault, kFull };

enum class RedactActionSetting : std::uint8_t { kReplace, kHash, kMask, kDrop };
enum class ClientAddressesSetting : std::uint8_t { kKeep, kTruncate, kHash, kDrop };

// The components of Gatehouse that log.levels knows.
inline constexpr std::array<std::string_view, 6> kLogComponents{"gatehouse", "upstream", "health",
                                                                "proxy",     "csp",      "rate_limits"};

struct Redact {
  std::vector<std::string> names;
  std::vector<std::string> headers;
  std::vector<std::string> patterns;
  RedactActionSetting action = RedactActionSetting::kReplace;
  Secret hash_key;  // empty: a random one for each run
  bool emails = false;
  ClientAddressesSetting client_addresses = ClientAddressesSetting::kKeep;
  bool operator==(const Redact&) const = default;
};

struct AccessLog {
  bool enabled = true;
  AccessFieldsSetting fields = AccessFieldsSetting::kDefault;
  bool exclude_health = true;
  std::vector<std::string> exclude_paths;
  std::vector<std::string> headers;
  std::vector<std::string> response_headers;
  double sample = 1.0;
  milliseconds minimum_duration{0};
  bool operator==(const AccessLog&) const = default;
};

// Bodies in the log, for finding a mistake.
struct LogBodies {
  bool enabled = false;
  Bytes max_size = 4 * kKiB;
  // `application/json`, `text/*`, `*+json`
  std::vector<std::string> content_types{"application/json", "*+json", "application/x-www-form-urlencoded", "text/*"};
  bool operator==(const LogBodies&) const = default;
};

struct Log {
  LogLevel level = LogLevel::kInfo;
  std::map<std::string, LogLevel> levels;  // of single components
  LogFormatSetting format = LogFormatSetting::kJson;
  std::string output = "stdout";  // stdout, stderr, or the path of a file
  Redact redact;
  AccessLog access;
  LogBodies bodies;
  Bytes queue = 4 * kMiB;
  OverflowSetting overflow = OverflowSetting::kDrop;
  bool operator==(const Log&) const = default;
};

struct Shutdown {
  milliseconds linger = milliseconds{0};
  milliseconds deadline = seconds{25};
  milliseconds app_deadline = seconds{4};
  bool operator==(const Shutdown&) const = default;
};

struct RouteMatch {
  std::string path = "/*";           // `/login`, `/api/*`, `/items/{id}`
  std::vector<std::string> methods;  // empty: every method
  std::string host;                  // lower case; `*.example.com`; empty: every host
  bool operator==(const RouteMatch&) const = default;
};

// What differs on a route. The values hold for it: where the route says nothing, they are those of the whole.
struct Route {
  RouteMatch match;
  Bytes body_limit = 10 * kMiB;
  milliseconds first_byte_timeout = seconds{60};
  milliseconds read_idle_timeout = seconds{60};
  LogBodies log_bodies;
  bool operator==(const Route&) const = default;
};

// What trusted proxies tell of the client, and where: one of the two fields, never both.
enum class ForwardedField : std::uint8_t { kXForwardedFor, kForwarded };
struct Forwarded {
  ForwardedField field = ForwardedField::kXForwardedFor;
  int hops = 16;
  bool operator==(const Forwarded&) const = default;
};

// An external monitor that is called while all is well.
struct HeartbeatMonitor {
  Secret url;
  Secret fail_url;  // empty: none
  milliseconds interval = minutes{1};
  milliseconds timeout = seconds{10};
  bool operator==(const HeartbeatMonitor&) const = default;
};

// The app's own document of its paths.
struct OpenApi {
  std::string url;  // a path of the app
  milliseconds interval = minutes{5};
  int max_templates = 500;
  bool operator==(const OpenApi&) const = default;
};

struct LoadedSettings;

struct Config {
  std::vector<Listener> listeners{Listener{}};
  Admin admin;
  Metrics metrics;
  std::optional<HeartbeatMonitor> heartbeat;
  std::optional<OpenApi> openapi;
  int workers = 0;  // zero: as many as this container may use
  Upstream upstream;
  Limits limits;
  Timeouts timeouts;
  HeaderNames header_names;
  Paths paths;
  std::vector<std::string> trusted_proxies;
  Forwarded forwarded;
  Health health;
  Log log;
  std::vector<Route> routes;
  Shutdown shutdown;
  // The sections of the filters and how everything was written; see section() in load.hpp.
  std::shared_ptr<const LoadedSettings> settings;
};

}  // namespace gatehouse
