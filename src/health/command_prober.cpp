#include "health/command_prober.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>

namespace gatehouse::health {
namespace {

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::chrono::milliseconds kFirstLook{5};
constexpr std::chrono::milliseconds kLastLook{100};
constexpr std::chrono::milliseconds kAfterKill{200};

struct Actions {
  Actions() { ::posix_spawn_file_actions_init(&value); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&value); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  posix_spawn_file_actions_t value;
};

struct Attributes {
  Attributes() { ::posix_spawnattr_init(&value); }
  ~Attributes() { ::posix_spawnattr_destroy(&value); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  posix_spawnattr_t value;
};

}  // namespace

CommandProber::CommandProber(boost::asio::io_context& io, std::vector<std::string> command)
    : io_(io), command_(std::move(command)) {}

CommandProber::~CommandProber() {
  if (running_ > 0) ::kill(-running_, SIGKILL);
}

// Looks now and then rather than waiting for SIGCHLD or a pidfd: the one would be the whole process's, the other is not
// to be had in every sandbox.
awaitable<std::string> CommandProber::probe(net::Clock::time_point deadline) {
  boost::asio::steady_timer timer(io_);
  std::string error;
  if (running_ > 0 && !has_ended(error)) co_return "its last run has still not ended";
  if (start() != 0) co_return "cannot be started";
  bool in_time = true;
  auto give_up = deadline;
  for (auto pause = kFirstLook; !has_ended(error); pause = std::min(pause * 2, kLastLook)) {
    if (net::Clock::now() >= give_up) {
      if (!in_time) break;
      in_time = false;
      give_up += kAfterKill;
      pause = kFirstLook;
      ::kill(-running_, SIGKILL);
    }
    timer.expires_at(std::min(net::Clock::now() + pause, give_up));
    co_await timer.async_wait(use_result);
  }
  if (!in_time) co_return "did not end in time";
  co_return error;
}

int CommandProber::start() {
  std::vector<char*> arguments;
  for (std::string& word : command_) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  Actions actions;
  ::posix_spawn_file_actions_addopen(&actions.value, STDIN_FILENO, "/dev/null", O_RDWR, 0);
  ::posix_spawn_file_actions_adddup2(&actions.value, STDIN_FILENO, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions.value, STDIN_FILENO, STDERR_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&actions.value, STDERR_FILENO + 1);
  Attributes attributes;
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes.value, &none);
  ::posix_spawnattr_setsigdefault(&attributes.value, &all);  // we ignore SIGPIPE; scripts count on it
  ::posix_spawnattr_setpgroup(&attributes.value, 0);
  ::posix_spawnattr_setflags(&attributes.value, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t child = 0;
  const int failure =
      ::posix_spawnp(&child, arguments.front(), &actions.value, &attributes.value, arguments.data(), environ);
  running_ = failure == 0 ? child : 0;
  return failure;
}

// Fills `error` once the child has ended.
bool CommandProber::has_ended(std::string& error) {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(running_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    // Whoever started us ignores SIGCHLD: then the kernel reaps, and tells nobody how it ended.
    if (errno != EINTR) running_ = 0;
    error = "ended, but its exit status is not known; start Gatehouse without SIGCHLD ignored";
    return running_ == 0;
  }
  if (info.si_pid == 0) return false;
  // Before the child is reaped, while the group's number cannot be anybody else's: what it left running.
  ::kill(-running_, SIGKILL);
  ::waitpid(running_, nullptr, WNOHANG);
  running_ = 0;
  if (info.si_code != CLD_EXITED)
    error = "was ended by signal " + std::to_string(info.si_status);
  else if (info.si_status != 0)
    error = "ended with exit status " + std::to_string(info.si_status);
  return true;
}

}  // namespace gatehouse::health
