#include "app/application.hpp"

#include "app/application_parts.hpp"
#include "app/cpu_limit.hpp"
#include "app/service_notify.hpp"
#include "app/settings.hpp"
#include "app/version.hpp"
#include "config/print.hpp"
#include "observe/redact_self_test.hpp"

#include <boost/asio/post.hpp>
#include <csignal>
#include <iostream>

namespace gatehouse {
namespace {

constexpr int kConfiguration = 2;  // the configuration cannot be used
constexpr int kNotExecutable = 126;  // as shells, env and timeout have it
constexpr int kNoSuchCommand = 127;

std::shared_ptr<const Redactor> make_redactor(const Config& config, std::string& problem) {
  const RedactOptions options = redact_options(config.log.redact);
  auto redactor = Redactor::make(options, problem);
  if (!redactor) {
    problem = "log.redact: " + problem;
    return nullptr;
  }
  const SelfTestResult test = redaction_self_test(*redactor, options.names);
  if (test.leaks.empty()) return redactor;
  problem = "redaction self-test: " + test.leaks.front() + ", and so would a secret";
  return nullptr;
}

// What a running process cannot change about itself.
std::vector<std::string> left_for_the_next_start(const Config& before, const Config& now) {
  std::vector<std::string> keys;
  const auto add = [&](bool same, const char* key) {
    if (!same) keys.push_back(std::string(key) + " has changed; it takes effect at the next start");
  };
  add(before.workers == now.workers, "workers");
  add(before.admin == now.admin, "admin.address");
  add(before.log.output == now.log.output, "log.output");
  add(before.log.format == now.log.format, "log.format");
  add(before.log.queue == now.log.queue, "log.queue");
  add(before.log.overflow == now.log.overflow, "log.overflow");
  const bool both_named = before.upstream.named && now.upstream.named;
  if (both_named && before.upstream.active != now.upstream.active)
    keys.emplace_back("upstream.active has changed; it takes effect at the next start, and `gatehouse switch` moves the traffic now");
  return keys;
}

}  // namespace

Application::Application(Config config, Origin origin)
    : config_(std::make_shared<const Config>(std::move(config))), started_with_(config_), origin_(std::move(origin)) {}

Application::~Application() = default;

int Application::run() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);  // until there is something to load anew
  if (!receive_sockets()) return kFailed;
  if (!start_logging()) return kFailed;
  int code = start_serving();
  if (code == 0) watch_signals();
  if (code == 0 && !origin_.app_command.empty()) code = start_app();
  if (code != 0) {
    logging_->stop(kLogPatience);
    return code;
  }
  warn_about_bodies(*config_);
  serving_->start();
  checks_->apply(*config_);
  switch_->start();
  errands_->apply(*config_);
  watch_files();
  warn_of_expiry();
  const std::size_t workers = serving_->worker_count();
  log_->info("gatehouse {} serves {} with {} worker{}", kVersion, describe(config_->upstream), workers, workers == 1 ? "" : "s");
  if (successor_)
    await_readiness();
  else
    notify_ready();
  admin_->run();
  return finish_shutdown();
}

// Redaction finds what it knows; a body may hold what it does not.
void Application::warn_about_bodies(const Config& config) {
  const auto warn = [this](std::string_view route) {
    log_->event(spdlog::level::warn,
                "log.bodies is on: bodies of requests and responses are written to the log; turn it off once the mistake is found",
                {{"route", route}});
  };
  if (config.log.bodies.enabled) warn("every route that does not turn it off");
  for (const Route& route : config.routes)
    if (route.log_bodies.enabled) warn(route.match.path);
}

// Once everything else is there, so that an app is not started only to be ended again.
int Application::start_app() {
  auto started = AppProcess::start(origin_.app_command, *logging_, admin_->state().io, [this](int status) { app_ended(status); });
  if (!started) {
    std::cerr << "gatehouse exec: cannot start " << origin_.app_command.front() << ": " << started.error().message() << '\n';
    return started.error() == boost::system::errc::no_such_file_or_directory ? kNoSuchCommand : kNotExecutable;
  }
  app_ = std::move(*started);
  log_->info("the app runs as process {}", app_->id());
  return 0;
}

bool Application::receive_sockets() {
  successor_ = Successor::from_environment();
  if (!successor_) {
    inherited_.take_from_environment();
    return true;
  }
  if (successor_->receive(inherited_)) return true;
  std::cerr << "gatehouse: the process that was to be replaced is gone\n";
  return false;
}

// Whoever is replaced goes when this process can do the work, not before.
void Application::await_readiness() {
  if (health_.overall() != observe::Health::kFail) {
    successor_->tell_ready();
    successor_.reset();
    notify_ready();
    log_->info("this process has taken over");
    return;
  }
  signals_->timer.expires_after(kPoll);
  signals_->timer.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopping_) await_readiness();
  });
}

bool Application::start_logging() {
  std::string problem;
  const auto redactor = make_redactor(*config_, problem);
  if (!redactor) {
    std::cerr << "gatehouse: " << problem << '\n';
    return false;
  }
  auto started = Logging::start(logging_options(config_->log), redactor);
  if (!started) {
    std::cerr << "gatehouse: log.output: cannot open " << config_->log.output << ": " << started.error().message()
              << "; check the folder and its permissions\n";
    return false;
  }
  logging_ = std::move(*started);
  crash_flush_ = std::make_unique<CrashFlush>(logging_->queue());
  log_ = logging_->logger("gatehouse");
  return true;
}

// The first configuration takes the way that every later one takes.
int Application::start_serving() {
  reloads_ = std::make_unique<ReloadRecord>(health_);
  const unsigned workers = config_->workers == 0 ? usable_cpus() : static_cast<unsigned>(config_->workers);
  serving_ = std::make_unique<Serving>(workers, *logging_, health_);
  ListenerSet::Problems problems;
  auto prepared = serving_->prepare(*config_, logging_->redactor(), inherited_, problems);
  for (const std::string& warning : problems.warnings) log_->warn("{}", warning);
  for (const std::string& mistake : problems.mistakes) std::cerr << "gatehouse: " << mistake << '\n';
  for (const std::string& taken : problems.taken) std::cerr << "gatehouse: " << taken << '\n';
  if (!problems.mistakes.empty()) return kConfiguration;
  if (!prepared) return kFailed;
  prepare_admin();
  if (!listen_on_admin()) return kFailed;
  for (const std::string& address : inherited_.left()) log_->warn("a socket for {} was passed, but no listener has that address", address);
  inherited_ = {};
  serving_->commit(std::move(*prepared), *config_);
  take_over_traffic();
  return 0;
}

void Application::prepare_admin() {
  admin_ = std::make_unique<Worker>(admin_shared_);
  admin_->state().on_warning = [log = log_](const std::string& what) { log->warn("{}", what); };
  checks_ = std::make_unique<HealthChecks>(admin_->state(), health_, *logging_, serving_->address_healths(),
                                           [this] { return serving_->serving_pool(); });
  const auto gate = [this] {
    const upstream::ProberSettings settings = prober_settings(*config_);
    return PoolTraffic::Gate{settings.rise, settings.timeout};
  };
  traffic_ = std::make_unique<PoolTraffic>(admin_->state().io, *serving_, *checks_, gate);
  switch_ = std::make_unique<SwitchOver>(
      admin_->state().io, admin_->state().tasks, *traffic_, logging_->logger("upstream"),
      [this](const admin::TrafficShares& shares) { traffic_moved(shares); }, SwitchOver::Pace{});
  const auto ready = [this] { return !serving_->draining().load(std::memory_order_relaxed) && health_.overall() != observe::Health::kFail; };
  errands_ = std::make_unique<Errands>(admin_->state(), serving_->states(), ready, log_);
}

admin::AdminSources Application::admin_sources() {
  admin::AdminSources sources;
  sources.metrics.workers = serving_->metrics();
  sources.metrics.health = &health_;
  sources.metrics.draining = &serving_->draining();
  sources.metrics.version = kVersion;
  sources.metrics.others.push_back([this] {
    return std::vector<admin::Family>{
        {"gatehouse_log_lines_dropped_total", "Log lines that found no room.", true, {{{}, static_cast<double>(logging_->counters().dropped_lines)}}}};
  });
  sources.metrics.others.push_back([this] { return serving_->families(); });
  sources.metrics.others.push_back([this] { return reloads_->families(); });
  sources.metrics.others.push_back([this] { return errands_->families(); });
  sources.metrics.others.push_back([this] { return switch_->families(); });
  sources.health = serving_->health_sources();
  sources.effective_config = [this] { return print_config(*config_); };
  sources.logging = logging_.get();
  sources.secret_names = [this] { return redact_options(config_->log.redact).names; };
  sources.workers_alive = [this] { return serving_->alive(); };
  sources.control.reload = [this](admin::Control::ReloadDone done) { reload("asked for", std::move(done)); };
  sources.control.drain = [this](DrainDone done) { drain_for_stop(std::move(done)); };
  sources.control.upgrade = [this](UpgradeDone done) { upgrade(std::move(done)); };
  sources.control.switch_over = [this](const admin::SwitchOrder& order, SwitchOver::Done done) { order_switch(order, std::move(done)); };
  sources.control.switch_state = [this] { return switch_->state(); };
  return sources;
}

bool Application::listen_on_admin() {
  const net::Endpoint address = endpoint_of(config_->admin.address);
  auto passed = inherited_.take(address, 1);
  if (passed.empty()) {
    const auto bound = net::bind_listener(address, net::Sharing::kFirst);
    if (bound.descriptor < 0) {
      std::cerr << "gatehouse: admin: " << bound.error << '\n';
      return false;
    }
    passed.emplace_back(bound.descriptor);
  }
  auto endpoints = std::make_unique<admin::Endpoints>(admin_sources());
  auto route = std::make_unique<proxy::Route>(proxy::Route{{}, "admin", proxy::PathPattern("/*"), nullptr, nullptr, true, false});
  route->chain = std::make_unique<Chain>(build_own_filters(), *endpoints);
  auto snapshot = std::make_shared<proxy::Snapshot>();
  std::vector<std::unique_ptr<proxy::Route>> routes;
  routes.push_back(std::move(route));
  snapshot->terminals.push_back(std::move(endpoints));
  snapshot->router = std::make_unique<proxy::Router>(std::move(routes));
  std::vector<ListenerPlan> plan(1);
  plan[0].name = "admin";
  for (net::Descriptor& socket : passed) plan[0].descriptors.push_back(socket.release());
  plan[0].state.counts = false;
  admin_->apply(std::move(snapshot), std::move(plan));
  return true;
}

void Application::reload(const std::string& cause, admin::Control::ReloadDone done) {
  if (stopping_) return done({false, {"Gatehouse is stopping"}});
  std::vector<std::string> mistakes;
  try {
    LoadResult loaded = origin_.load();
    for (const Mistake& mistake : loaded.mistakes()) mistakes.push_back(to_string(mistake));
    if (loaded) mistakes = take(std::move(*loaded), done);
  } catch (const std::exception& error) {
    // A mistake in this program, which must not end what serves well.
    mistakes = {std::string("an internal error: ") + error.what()};
  }
  if (mistakes.empty()) {
    reloads_->succeeded();
    log_->info("the configuration has been loaded anew ({})", cause);
  } else {
    reloads_->failed(mistakes);
    for (const std::string& mistake : mistakes) log_->error("{}", mistake);
    log_->error("the new configuration cannot be used ({}); the one before stays in force", cause);
    done({false, std::move(mistakes)});
  }
  watch_files();
}

// What is wrong with it; nothing: it is in force, and `done` will be called.
std::vector<std::string> Application::take(Config config, admin::Control::ReloadDone done) {
  std::string problem;
  auto redactor = make_redactor(config, problem);
  if (!redactor) return {problem};
  ListenerSet::Problems problems;
  auto prepared = serving_->prepare(config, redactor, inherited_, problems);
  for (const std::string& warning : problems.warnings) log_->warn("{}", warning);
  if (!prepared) {
    problems.mistakes.insert(problems.mistakes.end(), problems.taken.begin(), problems.taken.end());
    return problems.mistakes;
  }
  auto notes = left_for_the_next_start(*started_with_, config);
  for (const std::string& note : notes) log_->warn("{}", note);
  config_ = std::make_shared<const Config>(std::move(config));
  std::vector<std::string> pools;
  for (const UpstreamPool& pool : config_->upstream.pools) pools.push_back(pool.name);
  switch_->keep_to(pools, config_->upstream.active);
  apply_to_logging(*config_, std::move(redactor));
  checks_->apply(*config_);
  errands_->apply(*config_);
  serving_->commit(std::move(*prepared), *config_, [this, notes = std::move(notes), done = std::move(done)] {
    boost::asio::post(admin_->state().io, [notes, done] { done({true, notes}); });
  });
  traffic_moved(traffic_->shares());
  return {};
}

void Application::apply_to_logging(const Config& config, std::shared_ptr<const Redactor> redactor) {
  logging_->set_redactor(std::move(redactor));
  logging_->set_levels(log_levels(config.log));
  warn_about_bodies(config);
}

void Application::watch_files() {
  if (!files_) files_ = std::make_unique<FileWatch>(admin_->state().io, [this](const std::set<std::string>& files) { files_changed(files); });
  std::vector<std::string> all = source_files(*config_);
  const auto certificates = serving_->listeners().certificate_files();
  all.insert(all.end(), certificates.begin(), certificates.end());
  files_->watch(all);
}

// A certificate is renewed by itself as well: a mistake in the configuration file must not let it expire.
void Application::files_changed(const std::set<std::string>& files) {
  if (stopping_) return;
  bool configuration = false;
  for (const std::string& file : source_files(*config_)) configuration = configuration || files.contains(file);
  bool certificate = false;
  for (const std::string& file : serving_->listeners().certificate_files()) certificate = certificate || files.contains(file);
  if (certificate) {
    ListenerSet::Problems problems;
    const bool good = serving_->renew_certificates(problems);
    reloads_->certificates(good);
    for (const std::string& warning : problems.warnings) log_->warn("{}", warning);
    for (const std::string& mistake : problems.mistakes) log_->error("{}", mistake);
    if (good)
      log_->info("changed certificates have been loaded");
    else
      log_->error("the changed certificate files cannot be used; the certificates before stay in use");
  }
  if (configuration) reload("its files have changed", [](const admin::Control::Reloaded&) {});
}

// Once a day, for as long as it is not done.
void Application::warn_of_expiry() {
  for (const std::string& sentence : serving_->listeners().expiring(std::chrono::system_clock::now())) log_->warn("{}", sentence);
  signals_->expiry.expires_after(std::chrono::hours(24));
  signals_->expiry.async_wait([this](const boost::system::error_code& error) {
    if (!error) warn_of_expiry();
  });
}

}  // namespace gatehouse
