#include "observe/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

extern char** environ;

namespace gatehouse {
namespace {

constexpr int kPauseMilliseconds = 100;
constexpr int kUnknownStatus = 255;
// Once the child is gone, a grandchild may hold the pipe open for ever; what it prints is read as long as it keeps
// coming.
constexpr int kSilentRounds = 5;

// Both ends of a pipe, closed at the end unless taken.
class Pipe {
 public:
  Pipe() { opened_ = ::pipe2(ends_.data(), O_CLOEXEC) == 0; }
  ~Pipe() {
    for (const int end : ends_)
      if (end >= 0) ::close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool opened() const noexcept { return opened_; }
  int write_end() const noexcept { return ends_[1]; }
  int take_read_end() noexcept { return std::exchange(ends_[0], -1); }

 private:
  std::array<int, 2> ends_{-1, -1};
  bool opened_ = false;
};

// posix_spawn's settings: output into the pipes, signals as a fresh process has them.
class SpawnSettings {
 public:
  SpawnSettings(int out, int err) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  const posix_spawn_file_actions_t* actions() const noexcept { return &actions_; }
  const posix_spawnattr_t* attributes() const noexcept { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

result<std::unique_ptr<ChildProcess>> ChildProcess::start(std::span<const std::string> command,
                                                          std::shared_ptr<const Redactor> redactor, AppLogForm form,
                                                          Sink sink, OnEnd on_end) {
  if (command.empty()) return make_error_code(errc::invalid_argument);
  Pipe out, err;
  if (!out.opened() || !err.opened()) return error_code(errno, boost::system::system_category());
  const SpawnSettings settings(out.write_end(), err.write_end());
  std::vector<std::string> words(command.begin(), command.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t id = -1;
  const int failure =
      ::posix_spawnp(&id, arguments[0], settings.actions(), settings.attributes(), arguments.data(), environ);
  if (failure != 0) return error_code(failure, boost::system::system_category());
  return std::unique_ptr<ChildProcess>(
      new ChildProcess(id, out.take_read_end(), err.take_read_end(), std::move(redactor), form, std::move(sink),
                       std::move(on_end)));
}

ChildProcess::ChildProcess(pid_t id, int out, int err, std::shared_ptr<const Redactor> redactor, AppLogForm form,
                           Sink sink, OnEnd on_end)
    : id_(id), sink_(std::move(sink)), on_end_(std::move(on_end)), ended_(status_.get_future()) {
  // Signals are the owner's business: its thread must be the one that sees them.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  reader_ =
      std::thread([this, out, err, redactor = std::move(redactor), form] { read_output(out, err, redactor, form); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ChildProcess::~ChildProcess() {
  signal_group(SIGKILL);
  reader_.join();
}

void ChildProcess::signal(int number) noexcept {
  const std::lock_guard lock(mutex_);
  if (!reaped_) ::kill(id_, number);
}

void ChildProcess::signal_group(int number) noexcept {
  const std::lock_guard lock(mutex_);
  if (!reaped_) ::kill(-id_, number);
}

int ChildProcess::wait() { return ended_.get(); }

// The exit status, or -1 while the child runs.
int ChildProcess::reap() {
  const std::lock_guard lock(mutex_);
  int status = 0;
  const pid_t reaped = ::waitpid(id_, &status, WNOHANG);
  if (reaped < 0 && errno == ECHILD) {
    // Somebody else has taken the status away.
    reaped_ = true;
    return kUnknownStatus;
  }
  if (reaped != id_) return -1;
  reaped_ = true;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void ChildProcess::read_output(int out, int err, std::shared_ptr<const Redactor> redactor, AppLogForm form) {
  struct Source {
    Stream stream;
    int descriptor;
    AppLog log;
  };
  std::array<Source, 2> sources{Source{Stream::kOut, out, AppLog(redactor, form)},
                                Source{Stream::kErr, err, AppLog(redactor, form)}};
  std::vector<char> buffer(std::size_t{64} << 10);
  std::string told;
  int status = -1;
  int silent = 0;
  const auto tell = [&](Stream stream) {
    if (!told.empty()) sink_(stream, told);
    told.clear();
  };
  while ((sources[0].descriptor >= 0 || sources[1].descriptor >= 0) && silent < kSilentRounds) {
    std::array<pollfd, 2> ready{pollfd{sources[0].descriptor, POLLIN, 0}, pollfd{sources[1].descriptor, POLLIN, 0}};
    const int events = ::poll(ready.data(), ready.size(), kPauseMilliseconds);
    if (status < 0) status = reap();
    silent = events == 0 && status >= 0 ? silent + 1 : 0;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      Source& source = sources[i];
      if (events == 0) source.log.pause(told);
      if (events > 0 && ready[i].revents != 0) {
        const ssize_t size = ::read(source.descriptor, buffer.data(), buffer.size());
        if (size > 0)
          source.log.feed({buffer.data(), static_cast<std::size_t>(size)}, told);
        else if (size == 0 || errno != EINTR)
          ::close(std::exchange(source.descriptor, -1));
      }
      tell(source.stream);
    }
  }
  for (Source& source : sources) {
    if (source.descriptor >= 0) ::close(source.descriptor);
    source.log.finish(told);
    tell(source.stream);
  }
  while (status < 0) {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOWAIT);
    status = reap();
  }
  if (on_end_) on_end_(status);
  status_.set_value(status);
}

}  // namespace gatehouse
