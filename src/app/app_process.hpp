// The app as a child of the sidecar (`gatehouse exec`): what it prints goes through the sanitiser into the log, signals
// that mean it are passed on, and orphans that it leaves are reaped. Owned by the Application; used from its thread but
// for stop().
#pragma once

#include "observe/child_process.hpp"
#include "observe/logging.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace gatehouse {

class AppProcess {
 public:
  // Starts `command`. `on_end` is called on `io` once the app has ended and all it printed is in the log. `io` and
  // `logging` must outlive this. Fails when the command cannot be started.
  static result<std::unique_ptr<AppProcess>> start(const std::vector<std::string>& command, Logging& logging,
                                                   boost::asio::io_context& io, std::function<void(int)> on_end);
  AppProcess(const AppProcess&) = delete;
  AppProcess& operator=(const AppProcess&) = delete;

  pid_t id() const noexcept { return child_->id(); }
  // Sends `signal`, waits for the end, and kills the app's whole process group when `patience` is over. Blocks; any
  // thread.
  void stop(int signal, std::chrono::milliseconds patience);
  // The exit status as a shell would tell it; that of a killed one when the end does not come soon. Blocks; any thread.
  int status() const;

 private:
  AppProcess(Logging& logging, boost::asio::io_context& io);
  void pass_signals_on();
  void reap_orphans();
  void print(std::string& line, std::string_view text);

  Logging& logging_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer reap_timer_;
  std::set<pid_t> zombies_;  // children of ours that had ended when we looked last
  std::string lines_[2];     // unfinished lines of standard output and standard error; the reading thread's
  std::unique_ptr<ChildProcess> child_;
};

}  // namespace gatehouse
