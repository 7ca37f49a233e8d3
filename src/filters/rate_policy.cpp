#include "filters/rate_policy.hpp"

#include "config/status_ranges.hpp"

#include <algorithm>
#include <set>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kLongest = 365 * 24h;

std::optional<std::string> key_part_problem(std::string_view text) {
  const auto part = parse_rate_key_part(text);
  if (!part) return "is not client_address, route, header:NAME, cookie:NAME or query:NAME";
  if (part->kind != RateKeyPart::Kind::kHeader) return std::nullopt;
  if (auto problem = format::kFieldName.problem(part->name)) return "names a header that " + *problem;
  return std::nullopt;
}

std::optional<std::string> exempt_path_problem(std::string_view text) {
  if (auto problem = format::kRoutePath.problem(text)) return problem;
  if (text.find('{') == std::string_view::npos) return std::nullopt;
  return "must be a path such as /livez, or end in /* for everything below";
}

std::optional<std::string> redis_url_problem(std::string_view text) {
  if (parse_redis_url(text)) return std::nullopt;
  return "is not redis://[user:password@]host[:port][/database], rediss:// (TLS) or unix:///path";
}

constexpr TextFormat kRedisUrl{"URL", "^(rediss?|unix)://", redis_url_problem};
constexpr TextFormat kKeyPart{"key", "^(client_address|route|(header|cookie|query):.+)$", key_part_problem};
constexpr TextFormat kExemptPath{"path", "^/", exempt_path_problem};

std::vector<KeySpec> policy_keys() {
  std::vector<KeySpec> keys = rate_key_keys();
  keys.insert(keys.begin(),
              key::text("name", std::nullopt, "What the policy is called in response fields, logs and metrics.")
                  .required()
                  .of_format(format::kName));
  std::vector<KeySpec> others = {
      key::integer("quota", std::nullopt, "Requests allowed in each window.").required().within(1, 1000000000),
      key::duration("window", std::nullopt, "The time that the quota is for.").required().within(1ms, kLongest),
      key::integer("burst", std::nullopt, "Requests that may come at once after a pause; default: the quota.")
          .within(1, 1000000000),
      key::integer("cost", 1, "How many units of the quota a request takes.").within(1, 1000000000),
      key::texts("methods", {}, "Methods that count; none given: all. GET stands for HEAD too.")
          .of_format(format::kMethod),
      key::map(
          "exempt",
          {key::texts("addresses", {}, "Networks whose clients are not limited.").of_format(format::kCidr),
           exempt_paths_key("paths", {}, "Paths that are not limited: /livez, or /static/* for everything below.")},
          "Who and what is not limited."),
      key::boolean("shadow", false, "Count and report what would be refused, and refuse nothing."),
      key::choice("headers", {"ietf", "legacy", "both", "none"}, "ietf",
                  "How clients are told: RateLimit and RateLimit-Policy (ietf), X-RateLimit-* (legacy), both, none."),
      key::integer("max_keys", 100000, "Clients remembered at the same time, 52 bytes each.").within(100, 100000000),
      key::texts("count_statuses", {},
                 "Count only requests answered with these statuses, such as 401 and 403: a shield against guessing.")
          .of_format(format::kStatusRange),
      key::map("lockout",
               {key::duration("base", std::nullopt, "How long the first lock-out lasts; each next one twice as long.")
                    .required()
                    .within(1s, kLongest),
                key::duration("max", 1h, "The longest lock-out, and how long lock-outs are remembered.")
                    .within(1s, kLongest)},
               "Refuse everything for a while after the last failure of the quota; needs count_statuses.")
          .optional(),
      key::map(
          "store",
          {key::choice("type", {"local", "redis"}, "local", "local: this process; redis: shared by all replicas."),
           key::text("url", std::nullopt, "Where Redis (5 or newer) is; needed with type redis.")
               .of_format(kRedisUrl)
               .secret(),
           key::text("ca_file", std::nullopt,
                     "Certificates that a rediss:// server is checked against; default: the system's.")
               .of_format(format::kReadableFile),
           key::duration("timeout", 50ms, "How long a request waits for Redis.").within(1ms, 10s),
           key::choice("on_error", {"local", "allow", "deny"}, "local",
                       "When Redis does not answer in time: this process's own count decides, or all pass, or none.")},
          "Where the counts are kept.")
          .or_just("type"),
      key::boolean("clear_on_success", true, "A success (a status below 400) clears failures; needs count_statuses."),
  };
  keys.insert(keys.end(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
  return keys;
}

RatePolicy read_policy(const OptionsReader& options) {
  RatePolicy policy;
  policy.name = options.text("name");
  policy.key = read_rate_key(options);
  policy.quota = static_cast<std::uint64_t>(options.integer("quota"));
  policy.window = options.duration("window");
  policy.burst = static_cast<std::uint64_t>(options.integer("burst"));
  if (policy.burst == 0) policy.burst = policy.quota;
  policy.cost = static_cast<std::uint64_t>(options.integer("cost"));
  policy.methods = options.texts("methods");
  const auto exempt = options.map("exempt");
  std::vector<Cidr> networks;
  for (const auto& text : exempt.texts("addresses"))
    if (const auto cidr = parse_cidr(text)) networks.push_back(*cidr);
  policy.exempt_addresses = CidrSet(networks);
  policy.exempt_paths = exempt.texts("paths");
  policy.shadow = options.boolean("shadow");
  policy.fields = options.choice<RateFields>("headers");
  policy.max_keys = static_cast<std::size_t>(options.integer("max_keys"));
  for (const auto& text : options.texts("count_statuses"))
    for (const auto& range : parse_status_ranges(text)) policy.count_statuses.push_back(range);
  if (options.has("lockout")) {
    const auto lockout = options.map("lockout");
    policy.lockout = {lockout.duration("base"), lockout.duration("max")};
  }
  policy.clear_on_success = options.boolean("clear_on_success");
  const auto store = options.map("store");
  if (store.choice_text("type") == "redis") {
    policy.store.emplace();
    if (auto address = parse_redis_url(store.secret("url").reveal())) policy.store->address = std::move(*address);
    policy.store->ca_file = store.file("ca_file");
    policy.store->timeout = store.duration("timeout");
    policy.store->on_error = store.choice<RateStore::OnError>("on_error");
  }
  return policy;
}

void check_policy(OptionsReader& options) {
  const auto policy = read_policy(options);
  if (policy.quota == 0 || policy.window == RateDuration::zero() || policy.name.empty()) return;
  const auto interval = policy.rule().interval();
  if (interval > RateDuration(kLongest) / static_cast<std::int64_t>(policy.burst))
    options.mistake("burst", "takes more than a year to come back at this rate; lower it");
  if (options.has("key") && options.has("keys")) options.mistake("keys", "stands in place of key: give one of the two");
  if (policy.cost > policy.burst) options.mistake("cost", "is more than the burst, so that no request could ever pass");
  if (!policy.counts_failures() && options.has("lockout"))
    options.mistake("lockout", "needs count_statuses: which answers are failures");
  if (policy.lockout.base > policy.lockout.max) options.map("lockout").mistake("max", "is shorter than base");
  if (policy.counts_failures() && options.has("lockout") && policy.lockout.base < interval)
    options.map("lockout").mistake(
        "base", "is shorter than the time after which a failure is forgotten anyway (window divided by quota)");
}

void check_store(OptionsReader& options) {
  auto store = options.map("store");
  const bool redis = store.choice_text("type") == "redis";
  if (redis && !store.has("url") && !store.has_mistake("url")) store.mistake("url", "is needed with type redis");
  if (!redis && store.has("url")) store.mistake("type", "is local, but a url is given; write redis");
  if (redis && !options.texts("count_statuses").empty())
    options.mistake("count_statuses", "needs the counts in this process: leave out store");
}

void check_section(OptionsReader& options) {
  std::set<std::string> names;
  for (auto& policy : options.maps("rate_limits")) {
    check_policy(policy);
    check_store(policy);
    if (!policy.text("name").empty() && !names.insert(policy.text("name")).second)
      policy.mistake("name", "is the name of another policy in this list");
  }
}

}  // namespace

bool RatePolicy::counts(int status) const noexcept {
  return std::any_of(count_statuses.begin(), count_statuses.end(),
                     [status](const StatusRange& range) { return range.first <= status && status <= range.last; });
}

std::string RatePolicy::definition() const {
  std::string text = name;
  const auto add = [&text](auto number) { text += ' ' + std::to_string(number); };
  add(quota);
  add(window.count());
  add(burst);
  add(lockout.base.count());
  add(lockout.max.count());
  add(key.ipv4_prefix);
  add(key.ipv6_prefix);
  add(max_keys);
  if (store) text += " redis";
  for (const auto& range : count_statuses) {
    add(range.first);
    add(range.last);
  }
  for (const RateKeyPart& part : key.parts) {
    add(static_cast<int>(part.kind));
    add(part.name.size());
    text += ':' + part.name;
  }
  return text;
}

KeySpec exempt_paths_key(std::string_view name, const std::vector<std::string>& defaults, std::string_view doc) {
  return key::texts(name, defaults, doc).of_format(kExemptPath);
}

// An encoded or dotted path may end up elsewhere once the application has resolved it: it is exempt as itself only.
bool path_is_exempt(std::string_view path, std::string_view pattern) noexcept {
  if (!pattern.ends_with("/*")) return path == pattern;
  const bool below = path.starts_with(pattern.substr(0, pattern.size() - 1));
  return below && path.find("/.") == std::string_view::npos && path.find_first_of("%\\;") == std::string_view::npos;
}

std::vector<KeySpec> rate_key_keys() {
  return {
      key::text(
          "key", std::nullopt,
          "What is counted by: client_address (where nothing is said), route, header:NAME, cookie:NAME or query:NAME.")
          .of_format(kKeyPart),
      key::texts("keys", {}, "Several of these together, in place of key: [client_address, route].")
          .of_format(kKeyPart)
          .within(0, 8),
      key::integer("ipv4_prefix", 32, "Bits of an IPv4 address that make one client.").within(8, 32),
      key::integer("ipv6_prefix", 64, "Bits of an IPv6 address that make one client.").within(16, 128),
  };
}

RateKeySpec read_rate_key(const OptionsReader& options) {
  RateKeySpec key;
  key.parts.clear();
  auto parts = options.texts("keys");
  if (parts.empty()) parts.push_back(options.has("key") ? options.text("key") : "client_address");
  for (const auto& text : parts)
    if (auto part = parse_rate_key_part(text)) key.parts.push_back(std::move(*part));
  key.ipv4_prefix = static_cast<unsigned>(options.integer("ipv4_prefix"));
  key.ipv6_prefix = static_cast<unsigned>(options.integer("ipv6_prefix"));
  return key;
}

Section rate_limits_section() {
  return {key::maps("rate_limits", policy_keys(), "How many requests a client may send; each policy counts for itself.")
              .within(0, 32),
          true, check_section};
}

std::vector<RatePolicy> read_rate_policies(OptionsReader& options) {
  std::vector<RatePolicy> policies;
  for (const auto& policy : options.maps("rate_limits")) policies.push_back(read_policy(policy));
  return policies;
}

}  // namespace gatehouse
