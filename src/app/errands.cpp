#include "app/errands.hpp"

#include "app/settings.hpp"

#include <boost/asio/post.hpp>

namespace gatehouse {
namespace {

// Lives until its last question has been answered.
template <class Errand>
boost::asio::awaitable<void> run_errand(std::shared_ptr<Errand> errand) {
  co_await errand->run();
}

}  // namespace

void Errands::apply(const Config& config) {
  apply_heartbeat(config);
  apply_openapi(config);
}

void Errands::stop() {
  if (heartbeat_) heartbeat_->stop();
  if (reader_) reader_->stop();
}

void Errands::apply_heartbeat(const Config& config) {
  if (monitor_ == config.heartbeat) return;
  if (heartbeat_) heartbeat_->stop();
  heartbeat_.reset();
  monitor_ = config.heartbeat;
  if (!monitor_) return;
  const health::HeartbeatSettings settings{monitor_->url.reveal(), monitor_->fail_url.reveal(), monitor_->interval, monitor_->timeout};
  heartbeat_ = std::make_shared<health::Heartbeat>(admin_.io, admin_.wheel, settings, ready_, [log = log_](bool taken, const std::string& error) {
    if (taken)
      log->info("the monitor takes heartbeats");
    else
      log->warn("the monitor does not take heartbeats: {}", error);
  });
  admin_.tasks.spawn(run_errand(heartbeat_));
}

void Errands::apply_openapi(const Config& config) {
  if (openapi_ == config.openapi && app_ == active_pool(config.upstream).addresses.front()) return;
  if (reader_) reader_->stop();
  reader_.reset();
  openapi_ = config.openapi;
  app_ = active_pool(config.upstream).addresses.front();
  give_to_workers(nullptr);
  if (!openapi_) return;
  health::OpenApiSettings settings;
  settings.path = openapi_->url;
  settings.authority = app_.is_unix() ? "localhost" : to_string(app_);
  settings.interval = openapi_->interval;
  const auto most = static_cast<std::size_t>(openapi_->max_templates);
  reader_ = std::make_shared<health::OpenApiReader>(
      admin_.io, admin_.wheel, health::Place{app_.host, app_.port, app_.unix_path}, settings,
      [this, most](const std::string& document) { return take(document, most); }, [log = log_](bool good, const std::string& error) {
        if (good)
          log->info("the OpenAPI document of the app has been read");
        else
          log->warn("the OpenAPI document of the app cannot be read: {}; requests that match no route are counted as unmatched", error);
      });
  admin_.tasks.spawn(run_errand(reader_));
}

bool Errands::take(const std::string& document, std::size_t most) {
  auto templates = proxy::PathTemplates::parse(document, most);
  if (!templates) return false;
  give_to_workers(std::make_shared<const proxy::PathTemplates>(std::move(*templates)));
  return true;
}

void Errands::give_to_workers(std::shared_ptr<const proxy::PathTemplates> templates) {
  templates_ = templates ? templates->names().size() : 0;
  for (proxy::WorkerState* worker : workers_)
    boost::asio::post(worker->io, [worker, templates] {
      worker->templates = templates ? std::make_unique<const proxy::TemplateRoutes>(templates, worker->metrics) : nullptr;
    });
}

std::vector<admin::Family> Errands::families() const {
  std::vector<admin::Family> families;
  if (heartbeat_) {
    const health::HeartbeatCounters& counters = heartbeat_->counters();
    families.push_back({"gatehouse_heartbeats_total", "Calls of the heartbeat monitor, by result.", true,
                        {{{{"result", "delivered"}}, static_cast<double>(counters.delivered.get())},
                         {{{"result", "failed"}}, static_cast<double>(counters.failed.get())}}});
  }
  if (openapi_)
    families.push_back({"gatehouse_openapi_templates", "Paths known from the app's OpenAPI document.", false, {{{}, static_cast<double>(templates_)}}});
  return families;
}

}  // namespace gatehouse
