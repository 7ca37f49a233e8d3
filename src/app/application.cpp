#include "app/application.hpp"

#include "admin/endpoints.hpp"
#include "app/browser_metrics.hpp"
#include "app/cpu_limit.hpp"
#include "app/filter_catalog.hpp"
#include "app/rate_limit_metrics.hpp"
#include "app/settings.hpp"
#include "app/version.hpp"
#include "config/mistake.hpp"
#include "health/catalog.hpp"

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>
#include <unistd.h>

namespace gatehouse {
namespace {

constexpr std::chrono::seconds kSilent{10};  // a worker that has not turned over for so long hangs
constexpr std::chrono::seconds kLogPatience{2};
constexpr int kFailed = 1;         // it ran and something failed
constexpr int kConfiguration = 2;  // the configuration cannot be used

std::unique_ptr<proxy::Route> make_route(std::string name, proxy::RouteSettings settings) {
  return std::make_unique<proxy::Route>(proxy::Route{settings, std::move(name), proxy::PathPattern(settings.path), nullptr, nullptr, false, false});
}

}  // namespace

struct Application::Signals {
  explicit Signals(boost::asio::io_context& io) : set(io, SIGTERM, SIGINT), timer(io) {}
  boost::asio::signal_set set;
  boost::asio::steady_timer timer;
};

Application::Application(const Config& config) : config_(config) {}

Application::~Application() = default;

int Application::run() {
  std::signal(SIGPIPE, SIG_IGN);
  if (!start_logging()) return 1;
  if (const int code = prepare(); code != 0) {
    logging_->stop(kLogPatience);
    return code;
  }
  for (const auto& worker : workers_) worker->start();
  if (prober_) admin_->state().tasks.spawn(prober_->run());
  for (const auto& check : checks_) admin_->state().tasks.spawn(check->run());
  watch_signals();
  log_->info("gatehouse {} serves {} with {} worker{}", kVersion, to_string(config_.upstream.address), workers_.size(),
             workers_.size() == 1 ? "" : "s");
  admin_->run();
  finish_shutdown();
  return 0;
}

bool Application::start_logging() {
  RedactOptions options;
  options.names = config_.log.redact.names;
  options.names.insert(options.names.end(), config_.log.redact.headers.begin(), config_.log.redact.headers.end());
  options.patterns = config_.log.redact.patterns;
  std::string problem;
  const auto redactor = Redactor::make(options, problem);
  if (!redactor) {
    std::cerr << "gatehouse: log.redact: " << problem << '\n';
    return false;
  }
  auto started = Logging::start(logging_options(config_.log), redactor);
  if (!started) {
    std::cerr << "gatehouse: log.output: cannot open " << config_.log.output << ": " << started.error().message()
              << "; check the folder and its permissions\n";
    return false;
  }
  logging_ = std::move(*started);
  log_ = logging_->logger("gatehouse");
  filter_resources_.log_csp_report = [log = logging_->logger("csp")](const CspReport& report) {
    log->event(spdlog::level::warn, "a page broke its content security policy",
               {{"document", report.document}, {"directive", report.directive}, {"blocked", report.blocked},
                {"disposition", report.disposition}, {"source", report.source_file}, {"line", report.line}});
  };
  return true;
}

int Application::prepare() {
  Mistakes mistakes("configuration");
  shared_.connection_limit = config_.limits.connections;
  shared_.series.set_limit(static_cast<std::size_t>(config_.metrics.max_series));
  shared_.addresses.set_limit(config_.limits.connections_per_address);
  const unsigned count = config_.workers == 0 ? usable_cpus() : static_cast<unsigned>(config_.workers);
  for (unsigned i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<Worker>(shared_, serving_settings(config_)));
    prepare_worker(*workers_.back(), mistakes);
  }
  if (mistakes.count() != 0) {
    for (const Mistake& mistake : mistakes.sorted()) std::cerr << to_string(mistake) << '\n';
    return kConfiguration;
  }
  prepare_admin();
  return prepare_listeners();
}

void Application::prepare_worker(Worker& worker, Mistakes& mistakes) {
  proxy::WorkerState& state = worker.state();
  state.on_warning = [this](const std::string& what) { log_->warn("{}", what); };
  state.cluster = std::make_unique<upstream::Cluster>(state.io, state.wheel, cluster_settings(config_), state.metrics, upstream_connections_);
  auto forward = std::make_unique<proxy::Forward>(state);
  auto health = std::make_unique<admin::PublicHealth>(health_sources(), health_access());

  filter_counters_.push_back(std::make_unique<WorkerFilterCounters>());
  filter_counters_.back()->redis_links.set_on_event([this](const std::string& what) { log_->warn("{}", what); });
  std::vector<std::unique_ptr<proxy::Route>> routes;
  if (!config_.health.path.empty()) {
    proxy::RouteSettings own;
    own.path = config_.health.path;
    routes.push_back(make_route(own.path, own));
    routes.back()->own = true;
    routes.back()->chain = std::make_unique<Chain>(build_public_filters(config_, *filter_counters_.back(), mistakes), *health);
  }
  for (std::size_t i = 0; i <= config_.routes.size(); ++i) {
    const bool last = i == config_.routes.size();
    const auto index = last ? std::nullopt : std::optional(i);
    const auto settings = route_settings(config_, index);
    auto route = make_route(last ? "unmatched" : settings.path, settings);
    route->answers_preflights = has_filter(config_, "cors", index);
    route->chain = std::make_unique<Chain>(build_filters(config_, index, filter_resources_, *filter_counters_.back(), mistakes), *forward);
    route->metrics = &state.metrics.route(route->name);
    routes.push_back(std::move(route));
  }
  worker.set_router(std::make_unique<proxy::Router>(std::move(routes)));
  worker.add_terminal(std::move(forward));
  worker.add_terminal(std::move(health));
  worker.set_recorder(std::make_unique<proxy::Recorder>(state.io, logging_->queue(), logging_->redactor(), recorder_settings(config_), state.metrics,
                                                        to_string(config_.upstream.address)));
}

admin::HealthSources Application::health_sources() const { return {&health_, started_, kVersion, &shared_.draining}; }

admin::HealthAccess Application::health_access() const {
  std::vector<Cidr> allowed;
  for (const std::string& text : config_.health.allow)
    if (const auto cidr = parse_cidr(text)) allowed.push_back(*cidr);
  return {config_.health.token, CidrSet(allowed)};
}

void Application::prepare_admin() {
  admin_ = std::make_unique<Worker>(admin_shared_, proxy::ServingSettings{});
  proxy::WorkerState& state = admin_->state();
  state.on_warning = [this](const std::string& what) { log_->warn("{}", what); };

  const std::size_t check = health_.add("upstream", config_.upstream.health ? "http" : "tcp", true);
  auto cluster_options = cluster_settings(config_);
  const auto prober_options = prober_settings(config_);
  cluster_options.connect_timeout = prober_options.timeout;
  cluster_options.wait_for_app = {};
  prober_ = std::make_unique<upstream::Prober>(
      state.io, std::make_unique<upstream::Cluster>(state.io, state.wheel, cluster_options, state.metrics, probe_connections_), prober_options, health_, check,
      [this](bool healthy, const std::string& error) {
        if (healthy)
          log_->info("the app is healthy");
        else
          log_->warn("the app is not healthy: {}", error);
      });
  prepare_checks();

  admin::AdminSources sources;
  for (const auto& worker : workers_) sources.metrics.workers.push_back(&worker->state().metrics);
  sources.metrics.health = &health_;
  sources.metrics.draining = &shared_.draining;
  sources.metrics.version = kVersion;
  sources.metrics.others.push_back([this] {
    return std::vector<admin::Family>{
        {"gatehouse_log_lines_dropped_total", "Log lines that found no room.", true, {{{}, static_cast<double>(logging_->counters().dropped_lines)}}},
        {"gatehouse_connections_limit", "Client connections that may be open.", false, {{{}, static_cast<double>(shared_.connection_limit)}}},
        {"gatehouse_upstream_connections_limit", "Connections to the app that may be open.", false, {{{}, static_cast<double>(config_.upstream.max_connections)}}},
        {"gatehouse_metrics_series", "Combinations of route, method and status that are counted apart.", false, {{{}, static_cast<double>(shared_.series.used())}}},
        {"gatehouse_metrics_series_limit", "How many of these there may be.", false, {{{}, static_cast<double>(shared_.series.limit())}}}};
  });
  sources.metrics.others.push_back([this] {
    admin::Family expiry{"gatehouse_tls_certificate_not_after_timestamp_seconds", "When a certificate expires, seconds since the epoch.", false, {}};
    for (const auto& context : tls_)
      for (const auto& certificate : context->certificates())
        expiry.samples.push_back({{{"names", certificate.names}}, static_cast<double>(certificate.not_after)});
    return std::vector<admin::Family>{expiry};
  });
  sources.metrics.others.push_back([this] { return browser_families(filter_counters_); });
  sources.metrics.others.push_back([this] { return rate_limit_families(filter_resources_.rate_tables); });
  sources.health = health_sources();
  sources.workers_alive = [this] {
    return std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->silence() < kSilent; });
  };
  auto endpoints = std::make_unique<admin::Endpoints>(std::move(sources));
  std::vector<std::unique_ptr<proxy::Route>> routes;
  routes.push_back(make_route("admin", {}));
  routes.back()->own = true;
  routes.back()->chain = std::make_unique<Chain>(build_own_filters(), *endpoints);
  admin_->set_router(std::make_unique<proxy::Router>(std::move(routes)));
  admin_->add_terminal(std::move(endpoints));
}

void Application::prepare_checks() {
  proxy::WorkerState& state = admin_->state();
  for (const HealthCheck& check : config_.health.checks) {
    const std::string_view kind = health::name(check.type);
    const std::size_t number = health_.add(check.name, std::string(kind), check.critical);
    auto on_change = [this, &check, kind](bool healthy, const std::string& error) {
      if (healthy)
        log_->info("{} ({}) is healthy", check.name, kind);
      else
        log_->warn("{} ({}) is not healthy: {}", check.name, kind, error);
    };
    checks_.push_back(std::make_unique<health::CheckLoop>(state.io, health::make_prober(check, state.io, state.wheel),
                                                          check.probe, health_, number, std::move(on_change)));
  }
}

int Application::prepare_listeners() {
  std::vector<std::string> errors;
  std::vector<std::string> taken;  // addresses that cannot be bound: the file may be right all the same
  std::vector<std::string> warnings;
  std::uint16_t https_port = 443;
  for (const Listener& listener : config_.listeners)
    if (listener.tls) https_port = listener.address.port;
  for (const Listener& listener : config_.listeners) {
    std::shared_ptr<const net::TlsContext> tls;
    if (listener.tls) {
      tls = net::TlsContext::make(tls_settings(*listener.tls), errors, warnings);
      if (!tls) continue;
      tls_.push_back(tls);
    }
    int shared_descriptor = -1;
    for (const auto& worker : workers_) {
      proxy::ListenerState state;
      state.tls = tls;
      state.router = worker->router();
      state.redirect_to_https = listener.redirect_to_https;
      state.proxy_protocol = listener.proxy_protocol;
      state.https_port = https_port;
      const bool first = worker == workers_.front();
      const net::Endpoint endpoint = endpoint_of(listener.address);
      if (endpoint.is_unix() && !first) {
        worker->add_listener(::dup(shared_descriptor), std::move(state));
        continue;
      }
      // With one worker nobody shares the port, and then nobody else may either.
      const auto bound = net::bind_listener(endpoint, first ? net::Sharing::kFirst : net::Sharing::kShared);
      if (bound.descriptor < 0) {
        taken.push_back(bound.error);
        break;
      }
      shared_descriptor = bound.descriptor;
      worker->add_listener(bound.descriptor, std::move(state));
    }
  }
  proxy::ListenerState admin_state;
  admin_state.router = admin_->router();
  admin_state.counts = false;
  const auto bound = net::bind_listener(endpoint_of(config_.admin.address), net::Sharing::kFirst);
  if (bound.descriptor < 0)
    taken.push_back("admin: " + bound.error);
  else
    admin_->add_listener(bound.descriptor, std::move(admin_state));
  for (const std::string& warning : warnings) log_->warn("{}", warning);
  for (const auto* sentences : {&errors, &taken})
    for (const std::string& sentence : *sentences) std::cerr << "gatehouse: " << sentence << '\n';
  if (!errors.empty()) return kConfiguration;
  return taken.empty() ? 0 : kFailed;
}

void Application::watch_signals() {
  if (!signals_) signals_ = std::make_unique<Signals>(admin_->state().io);
  signals_->set.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (stopping_) {
      const bool busy = std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->state().metrics.connections_open.get() != 0; });
      log_->warn("a second signal: stopping at once{}", busy ? ", with connections open" : "");
      logging_->stop(std::chrono::milliseconds(200));
      std::_Exit(busy ? kFailed : 0);
    }
    begin_shutdown(signal);
    watch_signals();
  });
}

// Readiness fails at once; accepting goes on for the linger time, so that whoever still sends here gets an answer.
void Application::begin_shutdown(int signal) {
  stopping_ = true;
  shared_.draining = true;
  log_->info("{} received: draining", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  signals_->timer.expires_after(config_.shutdown.linger);
  signals_->timer.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    for (const auto& worker : workers_) worker->drain(config_.shutdown.deadline);
    // The admin endpoints answer until the workers have ended; a thread of its own waits for them.
    joiner_ = std::thread([this] {
      for (const auto& worker : workers_) worker->join();
      admin_->stop();
    });
  });
}

void Application::finish_shutdown() {
  if (joiner_.joinable()) joiner_.join();
  const bool unfinished = std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->state().tasks.running() != 0; });
  if (unfinished) log_->warn("some requests did not end within shutdown.deadline and were cut off");
  log_->info("stopped");
  logging_->stop(kLogPatience);
  // Coroutines that never came back cannot be taken apart safely; the process ends here and the kernel cleans up.
  if (unfinished) std::_Exit(0);
}

}  // namespace gatehouse
