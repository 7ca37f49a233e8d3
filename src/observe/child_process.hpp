// The application as a child of ours, so that what it prints passes the sanitiser before anybody can keep it. Owned by
// the verb `exec`. One thread of its own reads the child's output; the functions may be called from any thread.
#pragma once

#include "observe/app_log.hpp"

#include <gatehouse/result.hpp>

#include <sys/types.h>

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

namespace gatehouse {

class ChildProcess {
 public:
  enum class Stream : std::uint8_t { kOut, kErr };
  // Redacted output, called from the reading thread, whole lines wherever the child wrote whole lines.
  using Sink = std::function<void(Stream, std::string_view)>;
  // Told the exit status, from the reading thread, once all output has gone to the sink and before wait() returns.
  using OnEnd = std::function<void(int)>;

  // Starts `command` (the first word is looked up in PATH) with our standard input and environment, no signal blocked
  // or ignored and no descriptor of ours, in a process group of its own: a terminal's Ctrl-C is for us to pass on. Fails
  // when it cannot be started.
  static result<std::unique_ptr<ChildProcess>> start(std::span<const std::string> command,
                                                     std::shared_ptr<const Redactor> redactor, AppLogForm form,
                                                     Sink sink, OnEnd on_end = nullptr);
  // Kills the child if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t id() const noexcept { return id_; }
  // Passes a signal on. Harmless when the child is gone.
  void signal(int number) noexcept;
  // The same, and to everything it has started in its process group.
  void signal_group(int number) noexcept;
  // Waits until the child has ended and all it printed has gone to the sink. Its exit status as a shell would tell it:
  // 128 and the number of the signal that killed it.
  int wait();
  // Becomes ready when wait() would not block.
  std::shared_future<int> ended() const { return ended_; }

 private:
  ChildProcess(pid_t id, int out, int err, std::shared_ptr<const Redactor> redactor, AppLogForm form, Sink sink,
               OnEnd on_end);
  void read_output(int out, int err, std::shared_ptr<const Redactor> redactor, AppLogForm form);
  int reap();

  const pid_t id_;
  Sink sink_;
  OnEnd on_end_;
  std::mutex mutex_;  // between signal() and the moment the process id may belong to somebody else
  bool reaped_ = false;
  std::promise<int> status_;
  std::shared_future<int> ended_;
  std::thread reader_;
};

}  // namespace gatehouse
