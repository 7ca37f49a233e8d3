// Wires a configuration into a running sidecar and keeps it running until a signal ends it: start, reload, drain, stop. Owns
// everything; main thread.
#pragma once

#include "admin/control.hpp"
#include "app/app_process.hpp"
#include "app/errands.hpp"
#include "app/file_watch.hpp"
#include "app/handover.hpp"
#include "app/health_checks.hpp"
#include "app/inherited_sockets.hpp"
#include "app/pool_traffic.hpp"
#include "app/reload_record.hpp"
#include "app/serving.hpp"
#include "app/switch_over.hpp"
#include "config/load.hpp"
#include "observe/crash_flush.hpp"

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace gatehouse {

class Application {
 public:
  struct Origin {
    std::function<LoadResult()> load;          // reads the configuration again
    std::vector<std::string> restart_command;  // program and arguments that start such a process anew
    std::vector<std::string> app_command{};    // the app, to be run as a child (`gatehouse exec`); empty: it runs elsewhere
  };
  Application(Config config, Origin origin);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  // Binds, starts the workers and serves until SIGTERM or SIGINT, or until the app of `command` ends. The exit code: 0 after an orderly end, or
  // the app's; 1 when serving could not start, 2 when the configuration cannot be used; what is wrong has been printed to stderr.
  int run();

 private:
  bool start_logging();
  int start_serving();
  void prepare_admin();
  bool listen_on_admin();
  bool receive_sockets();
  void await_readiness();
  admin::AdminSources admin_sources();

  void reload(const std::string& cause, admin::Control::ReloadDone done);
  std::vector<std::string> take(Config config, admin::Control::ReloadDone done);
  void apply_to_logging(const Config& config, std::shared_ptr<const Redactor> redactor);
  void files_changed(const std::set<std::string>& files);
  void watch_files();
  void warn_of_expiry();

  void watch_signals();
  void await_reload_signal();
  void await_end_signal();
  void begin_shutdown(milliseconds linger);
  void drain_workers();
  int finish_shutdown();
  int start_app();
  void app_ended(int status);
  void warn_about_bodies(const Config& config);

  using DrainDone = std::function<void(admin::Control::Drained)>;
  void drain_for_stop(DrainDone done);
  void await_quiet();
  void answer_drain();

  using UpgradeDone = std::function<void(admin::Control::Upgraded)>;
  void upgrade(UpgradeDone done);
  void order_switch(const admin::SwitchOrder& order, SwitchOver::Done done);
  void traffic_moved(const admin::TrafficShares& shares);
  void take_over_traffic();
  std::string traffic_for_successor() const;
  void start_successor(const std::vector<net::Descriptor>& sockets);

  std::shared_ptr<const Config> config_;
  const std::shared_ptr<const Config> started_with_;  // some of it stays in force until the process ends
  Origin origin_;
  InheritedSockets inherited_;
  std::unique_ptr<Successor> successor_;  // this process replaces another one
  std::unique_ptr<Logging> logging_;
  std::unique_ptr<CrashFlush> crash_flush_;
  std::shared_ptr<Logger> log_;
  observe::HealthBoard health_;
  std::unique_ptr<ReloadRecord> reloads_;
  std::unique_ptr<Serving> serving_;
  std::unique_ptr<HealthChecks> checks_;  // after the admin worker, whose tasks use it, has gone
  proxy::SharedState admin_shared_;
  std::unique_ptr<Errands> errands_;      // the same
  std::unique_ptr<Worker> admin_;
  std::unique_ptr<PoolTraffic> traffic_;  // its tasks run on the admin worker and hold timers of their own
  std::unique_ptr<SwitchOver> switch_;
  std::unique_ptr<FileWatch> files_;
  struct Signals;
  std::unique_ptr<Signals> signals_;
  std::thread joiner_;
  bool stopping_ = false;
  int stop_signal_ = SIGTERM;
  // A drain that was asked for through the admin port.
  struct Drain;
  std::unique_ptr<Drain> drain_;
  std::unique_ptr<Handover> handover_;  // while another process is to replace this one
  std::unique_ptr<AppProcess> app_;  // uses the log and the admin worker
};

}  // namespace gatehouse
