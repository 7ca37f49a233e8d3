#include "app/application_parts.hpp"
#include "app/service_notify.hpp"

#include <boost/asio/post.hpp>
#include <unistd.h>

// How it ends: by a signal, after a drain that was asked for, with the app that is its child, or because another process has taken over.

namespace gatehouse {
namespace {

constexpr std::chrono::milliseconds kAdminPatience{500};
constexpr std::chrono::seconds kSuccessorPatience{60};

}  // namespace

void Application::watch_signals() {
  signals_ = std::make_unique<Signals>(admin_->state().io);
  await_end_signal();
  await_reload_signal();
}

void Application::await_reload_signal() {
  signals_->reload.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    logging_->reopen();
    reload("SIGHUP", [](const admin::Control::Reloaded&) {});
    await_reload_signal();
  });
}

void Application::await_end_signal() {
  signals_->end.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (stopping_) {
      const bool busy = serving_->connections() != 0;
      log_->warn("a second signal: stopping at once{}", busy ? ", with connections open" : "");
      if (app_) app_->stop(SIGKILL, {});
      logging_->stop(std::chrono::milliseconds(200));
      std::_Exit(app_ ? app_->status() : busy ? kFailed : 0);
    }
    stop_signal_ = signal;
    log_->info("{} received: draining", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    notify_stopping();
    serving_->expect_drain();
    // Who drained before has waited already.
    begin_shutdown(drain_ ? milliseconds(0) : config_->shutdown.linger);
    await_end_signal();
  });
}

// Readiness fails at once; accepting goes on for the linger time, so that whoever still sends here gets an answer.
void Application::begin_shutdown(milliseconds linger) {
  stopping_ = true;
  files_->stop();
  serving_->draining() = true;
  signals_->timer.expires_after(linger);
  signals_->timer.async_wait([this](const boost::system::error_code& error) {
    if (!error) drain_workers();
  });
}

void Application::drain_workers() {
  switch_->stop();
  serving_->drain(config_->shutdown.deadline);
  // The admin endpoints answer until the workers have ended, and the app behind them; a thread of its own waits for them.
  joiner_ = std::thread([this, patience = config_->shutdown.app_deadline] {
    serving_->join();
    if (app_) app_->stop(stop_signal_, patience);
    boost::asio::post(admin_->state().io, [this] {
      checks_->stop();
      errands_->stop();
    });
    // An answer that is on its way there arrives.
    admin_->drain(kAdminPatience);
  });
}

int Application::finish_shutdown() {
  if (joiner_.joinable()) joiner_.join();
  const int code = app_ ? app_->status() : 0;
  const bool unfinished = serving_->unfinished();
  if (unfinished) log_->warn("some requests did not end within shutdown.deadline and were cut off");
  log_->info("stopped");
  logging_->stop(kLogPatience);
  // Coroutines that never came back cannot be taken apart safely; the process ends here and the kernel cleans up.
  if (unfinished) std::_Exit(code);
  return code;
}

// Out of service without an end: new connections are still answered, for whoever has not heard yet, and each is told to close.
void Application::drain_for_stop(DrainDone done) {
  if (drain_) {
    drain_->waiting.push_back(std::move(done));
    if (drain_->over) answer_drain();
    return;
  }
  drain_ = std::make_unique<Drain>(admin_->state().io);
  drain_->waiting.push_back(std::move(done));
  serving_->draining() = true;
  log_->info("draining was asked for");
  drain_->timer.expires_after(config_->shutdown.linger);
  drain_->timer.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    drain_->until = net::Clock::now() + config_->shutdown.deadline;
    serving_->close_idle();
    await_quiet();
  });
}

void Application::await_quiet() {
  if (serving_->requests() == 0 || net::Clock::now() >= drain_->until) {
    drain_->over = true;
    return answer_drain();
  }
  drain_->timer.expires_after(kPoll);
  drain_->timer.async_wait([this](const boost::system::error_code& error) {
    if (!error) await_quiet();
  });
}

void Application::answer_drain() {
  const std::uint64_t requests = serving_->requests();
  for (const DrainDone& done : std::exchange(drain_->waiting, {})) done({requests == 0, requests});
}

// A new process of the binary that lies there now gets the listening sockets, so that no connection in a queue is lost; this one goes
// when the new one is ready, and stays when it is not.
void Application::upgrade(UpgradeDone done) {
  if (stopping_ || drain_) return done({0, "Gatehouse is stopping"});
  if (handover_) return done({0, "an upgrade is under way"});
  // Its end would be the end of everything in its container.
  if (app_) return done({0, "the app runs as a child of this process: restart both"});
  if (::getpid() == 1) return done({0, "this is the first process of a container: replace the container instead"});
  // The new process could not tell whoever waits for its end.
  if (switch_->running()) return done({0, "a switch of traffic is under way: wait for its end, or abort it"});
  handover_ = std::make_unique<Handover>(admin_->state().io, [this, done](const Handover::Outcome& outcome) {
    done({outcome.process, outcome.problem});
    // Not under the feet of the caller.
    boost::asio::post(admin_->state().io, [this] { handover_.reset(); });
    if (outcome.process == 0) return log_->error("the upgrade failed, this process goes on: {}", outcome.problem);
    log_->info("process {} has taken over: draining", outcome.process);
    // Probes and scrapes are for the new one.
    admin_->apply(nullptr, {});
    begin_shutdown(milliseconds(0));
  });
  log_->info("an upgrade was asked for: starting {}", origin_.restart_command.front());
  serving_->copy_sockets([this](std::vector<net::Descriptor> sockets) {
    const auto all = std::make_shared<std::vector<net::Descriptor>>(std::move(sockets));
    admin_->copy_sockets([this, all](std::vector<net::Descriptor> admin) {
      for (net::Descriptor& socket : admin) all->push_back(std::move(socket));
      start_successor(*all);
    });
  });
}

void Application::start_successor(const std::vector<net::Descriptor>& sockets) {
  if (!handover_ || stopping_) return;
  std::vector<int> numbers;
  for (const net::Descriptor& socket : sockets) numbers.push_back(socket.get());
  handover_->start(origin_.restart_command, numbers, traffic_for_successor(), kSuccessorPatience);
}

void Application::app_ended(int status) {
  if (stopping_) return;
  log_->error("the app has ended with exit status {}: draining", status);
  stopping_ = true;
  files_->stop();
  serving_->draining() = true;
  // Nobody is helped by accepting requests that nobody can answer.
  drain_workers();
}

}  // namespace gatehouse
