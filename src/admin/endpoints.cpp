#include "admin/endpoints.hpp"

#include "admin/negotiation.hpp"
#include "admin/verbs.hpp"
#include "config/config.hpp"
#include "observe/json_writer.hpp"
#include "observe/log_sink.hpp"
#include "observe/redact_self_test.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>
#include <optional>

namespace gatehouse::admin {
namespace {

using observe::CheckResult;
using observe::Health;

bool is_read(const Exchange& exchange) {
  const Method method = exchange.request().method;
  return method == Method::kGet || method == Method::kHead;
}

Response only_read(Exchange& exchange) { return not_allowed(exchange, "Only GET and HEAD are served here", "GET, HEAD"); }

Response verdict(Exchange& exchange, bool good, std::string_view reason) {
  return uncached(exchange, good ? 200 : 503, "text/plain", good ? "ok\n" : exchange.arena().join({"not ok: ", reason, "\n"}), reason);
}

std::string time_text(std::chrono::system_clock::time_point time) {
  char text[24];
  return {text, write_rfc3339(text, time)};
}

Response metrics(Exchange& exchange, const MetricsSources& sources) {
  const Headers& asked = exchange.request().headers;
  const MetricsFormat format = wanted_format(asked);
  std::string page = metrics_page(sources, format);
  std::string packed = wants_gzip(asked) ? gzip(page) : std::string();
  Response response = uncached(exchange, 200, content_type(format), packed.empty() ? page : packed, "metrics");
  response.headers.add_view("vary", "accept, accept-encoding");
  if (!packed.empty()) response.headers.add_view("content-encoding", "gzip");
  return response;
}

constexpr std::string_view kHealthType = "application/health+json";

// After draft-inadarei-api-health-check: status, then each check with its own; then `more`, members that are written already.
Response health_page(Exchange& exchange, const HealthSources& sources, std::string_view more = {}) {
  const bool draining = sources.draining->load(std::memory_order_relaxed);
  const Health overall = draining ? Health::kFail : sources.board->overall();
  boost::json::object page;
  page["status"] = observe::name(overall);
  page["version"] = sources.version;
  page["uptime_seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - sources.started).count();
  if (draining) page["output"] = "draining";
  if (const auto notes = sources.board->notes(); !notes.empty()) page["notes"] = boost::json::array(notes.begin(), notes.end());
  boost::json::object& checks = page["checks"].emplace_object();
  for (const CheckResult& check : sources.board->results()) {
    boost::json::object one;
    one["componentType"] = check.kind;
    one["status"] = observe::name(check.health == Health::kPass ? Health::kPass : check.critical ? Health::kFail : Health::kWarn);
    one["critical"] = check.critical;
    one["observedValue"] = std::chrono::duration<double, std::milli>(check.latency).count();
    one["observedUnit"] = "ms";
    if (check.time != std::chrono::system_clock::time_point{}) one["time"] = time_text(check.time);
    one["since"] = time_text(check.since);
    if (!check.error.empty()) one["output"] = check.error;
    // The draft has a list for each name; one probe is one element.
    checks[check.name].emplace_array().push_back(std::move(one));
  }
  std::string body = boost::json::serialize(page);
  body.pop_back();
  body.append(more).append("}\n");
  return uncached(exchange, overall == Health::kFail ? 503 : 200, kHealthType, body, "health");
}

Response log_levels_page(Exchange& exchange, const Logging& logging) {
  const LogLevels levels = logging.levels();
  boost::json::object page;
  page["level"] = level_name(levels.level);
  boost::json::object& components = page["components"].emplace_object();
  for (const std::string_view component : kLogComponents) {
    const auto own = levels.components.find(component);
    components[component] = level_name(own == levels.components.end() ? levels.level : own->second);
  }
  return uncached(exchange, 200, "application/json", boost::json::serialize(page) + "\n", "log_levels");
}

// The value of a parameter of the query; names and levels need no decoding.
std::string_view parameter(std::string_view query, std::string_view name) noexcept {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) return pair.substr(name.size() + 1);
  }
  return {};
}

// PUT /log-levels?component=upstream&level=debug; without a component: of all that have none of their own.
Response set_log_level(Exchange& exchange, Logging& logging) {
  if (from_browser(exchange)) return exchange.refuse(403, "This is not for web pages", "from_browser", ResponseFlag::kLocal);
  const std::string_view component = parameter(exchange.request().query, "component");
  const auto level = level_of_name(parameter(exchange.request().query, "level"));
  const bool known = component.empty() || std::find(kLogComponents.begin(), kLogComponents.end(), component) != kLogComponents.end();
  if (!level || !known)
    return exchange.refuse(400, "Write /log-levels?component=upstream&level=debug; GET /log-levels tells the components, and the levels are trace, debug, info, warn, error and off",
                           "bad_log_level", ResponseFlag::kLocal);
  if (component.empty())
    logging.set_level(*level);
  else
    logging.set_level(component, *level);
  logging.logger("gatehouse")->event(spdlog::level::warn, "a log level was changed through the admin port",
                                     {{"component", component.empty() ? "all others" : component}, {"new_level", level_name(*level)}});
  return log_levels_page(exchange, logging);
}

Response log_levels(Exchange& exchange, Logging& logging) {
  if (exchange.request().method == Method::kPut) return set_log_level(exchange, logging);
  if (!is_read(exchange)) return not_allowed(exchange, "Only GET, HEAD and PUT are served here", "GET, HEAD, PUT");
  return log_levels_page(exchange, logging);
}

Response redaction_test(Exchange& exchange, const Logging& logging, const std::vector<std::string>& names) {
  const SelfTestResult result = redaction_self_test(*logging.redactor(), names);
  boost::json::object page;
  page["status"] = result.leaks.empty() ? "pass" : "fail";
  page["canaries"] = result.canaries;
  page["leaks"] = boost::json::array(result.leaks.begin(), result.leaks.end());
  return uncached(exchange, result.leaks.empty() ? 200 : 500, "application/json", boost::json::serialize(page) + "\n", "redaction_test");
}

// Compares in constant time: how far a guess is right must not be told by the clock.
bool same_secret(std::string_view given, std::string_view secret) noexcept {
  if (secret.empty()) return false;
  unsigned char difference = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i)
    difference = static_cast<unsigned char>(difference | (given[i] ^ secret[i % secret.size()]));
  return difference == 0;
}

bool may_see_all(const Exchange& exchange, const HealthAccess& access) noexcept {
  constexpr std::string_view kBearer = "bearer ";
  const auto given = exchange.request().headers.value(FieldId::authorization);
  if (given.size() > kBearer.size() && equals_ignoring_case(given.substr(0, kBearer.size()), kBearer) &&
      same_secret(given.substr(kBearer.size()), access.token.reveal()))
    return true;
  return access.allow.contains(IpAddress{exchange.client.bytes});
}

bool is_local(const ClientAddress& peer) noexcept {
  const IpAddress address{peer.bytes};
  return peer.text == "unix" || peer.text == "::1" || (address.is_v4() && address.bytes[12] == 127);
}

std::vector<observe::RecentError> recent_errors(const MetricsSources& sources) {
  std::vector<observe::RecentError> errors;
  for (const observe::WorkerMetrics* worker : sources.workers)
    for (observe::RecentError& error : worker->recent_errors.all()) errors.push_back(std::move(error));
  return errors;
}

}  // namespace

// The page, and /health with what only people read.
Response Endpoints::for_people(Exchange& exchange) {
  if (!host_is_ours(exchange.request().authority, is_local(exchange.peer)))
    return exchange.refuse(421, "This name is not one of the admin port; use its address or localhost", "unknown_host", ResponseFlag::kNoRoute);
  const bool is_page = exchange.request().path == "/";
  Response response = is_page ? uncached(exchange, 200, "text/html; charset=utf-8", page_.html, "status_page")
                              : health_page(exchange, sources_.health, shown(parameter(exchange.request().query, "show")));
  response.headers.add_view("content-security-policy", is_page ? std::string_view(page_.policy) : "default-src 'none'; frame-ancestors 'none'");
  response.headers.add_view("x-content-type-options", "nosniff");
  response.headers.add_view("referrer-policy", "no-referrer");
  response.headers.add_view("cross-origin-opener-policy", "same-origin");
  response.headers.add_view("cross-origin-resource-policy", "same-origin");
  return response;
}

// /health?show=errors and /health?show=configuration; anything else adds nothing.
std::string Endpoints::shown(std::string_view wanted) {
  if (wanted == "errors") return ",\"errors\":" + errors_json(recent_errors(sources_.metrics));
  if (wanted != "configuration") return {};
  const std::string text = sources_.effective_config();
  std::string member = ",\"configuration\":\"";
  append_escaped(member, text, text.size());
  return member + '"';
}

awaitable<Response> Endpoints::handle(Exchange& exchange) {
  const auto path = exchange.request().path;
  if (path == "/reload") co_return co_await reload(exchange);
  if (path == "/drain") co_return co_await drain(exchange);
  if (path == "/log-levels") co_return log_levels(exchange, *sources_.logging);
  if (path == "/upgrade") co_return co_await upgrade(exchange);
  if (path == "/switch") co_return co_await switch_over(exchange);
  if (!is_read(exchange)) co_return only_read(exchange);
  if (path == "/redaction-test") co_return redaction_test(exchange, *sources_.logging, sources_.secret_names());
  if (path == "/" || (path == "/health" && !parameter(exchange.request().query, "show").empty())) co_return for_people(exchange);
  if (path == "/health") co_return health_page(exchange, sources_.health);
  if (path == "/livez") co_return verdict(exchange, sources_.workers_alive(), "workers_alive");
  if (path == "/readyz" || path == "/startupz") {
    // A started process stays started: draining concerns readiness alone.
    if (path == "/readyz" && sources_.health.draining->load(std::memory_order_relaxed)) co_return verdict(exchange, false, "draining");
    co_return verdict(exchange, sources_.health.board->overall() != Health::kFail, "dependencies");
  }
  if (path == "/metrics") {
    co_return metrics(exchange, sources_.metrics);
  }
  co_return exchange.refuse(404, "There is no such admin endpoint; try /, /health, /livez, /readyz, /startupz, /metrics, /log-levels, /redaction-test, /reload, /drain, /upgrade or /switch", "not_found", ResponseFlag::kNoRoute);
}

awaitable<Response> Endpoints::reload(Exchange& exchange) {
  if (auto refusal = refuse_verb(exchange)) co_return std::move(*refusal);
  const auto expected = std::make_shared<Expected<Control::Reloaded>>(co_await boost::asio::this_coro::executor);
  sources_.control.reload([expected](Control::Reloaded done) { expected->set(std::move(done)); });
  co_await expected->wait();
  const Control::Reloaded done = expected->answer.value_or(Control::Reloaded{false, {"a worker does not answer"}});
  boost::json::object page{{"result", done.good ? "success" : "failure"}};
  boost::json::array& messages = page["messages"].emplace_array();
  for (const std::string& message : done.messages) messages.emplace_back(message);
  co_return uncached(exchange, done.good ? 200 : 422, "application/json", boost::json::serialize(page) + "\n", "reload");
}

awaitable<Response> Endpoints::drain(Exchange& exchange) {
  if (auto refusal = refuse_verb(exchange)) co_return std::move(*refusal);
  const auto expected = std::make_shared<Expected<Control::Drained>>(co_await boost::asio::this_coro::executor);
  sources_.control.drain([expected](Control::Drained done) { expected->set(done); });
  co_await expected->wait();
  const Control::Drained done = expected->answer.value_or(Control::Drained{});
  const boost::json::object page{{"result", done.quiet ? "success" : "failure"}, {"requests", done.requests}};
  co_return uncached(exchange, done.quiet ? 200 : 503, "application/json", boost::json::serialize(page) + "\n", "drain");
}

awaitable<Response> Endpoints::upgrade(Exchange& exchange) {
  if (auto refusal = refuse_verb(exchange)) co_return std::move(*refusal);
  const auto expected = std::make_shared<Expected<Control::Upgraded>>(co_await boost::asio::this_coro::executor);
  sources_.control.upgrade([expected](Control::Upgraded done) { expected->set(std::move(done)); });
  co_await expected->wait();
  const Control::Upgraded done = expected->answer.value_or(Control::Upgraded{0, "nothing was heard of the new process"});
  boost::json::object page{{"result", done.process != 0 ? "success" : "failure"}};
  if (done.process != 0)
    page["process"] = done.process;
  else
    page["problem"] = done.problem;
  co_return uncached(exchange, done.process != 0 ? 200 : 409, "application/json", boost::json::serialize(page) + "\n", "upgrade");
}

awaitable<Response> PublicHealth::handle(Exchange& exchange) {
  if (!is_read(exchange)) co_return only_read(exchange);
  if (may_see_all(exchange, access_)) co_return health_page(exchange, sources_);
  const Health overall = sources_.draining->load(std::memory_order_relaxed) ? Health::kFail : sources_.board->overall();
  const auto body = exchange.arena().join({R"({"status":")", observe::name(overall), "\"}\n"});
  co_return uncached(exchange, overall == Health::kFail ? 503 : 200, kHealthType, body, "health");
}

}  // namespace gatehouse::admin
