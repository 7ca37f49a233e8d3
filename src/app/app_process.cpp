#include "app/app_process.hpp"

#include <boost/asio/post.hpp>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <utility>

namespace gatehouse {
namespace {

// Lines longer than this are split.
constexpr std::size_t kLongestLine = std::size_t{64} << 10;
// How long the app waits, as it would for a slow reader of its own output, before its lines are dropped.
constexpr std::chrono::seconds kReaderPatience{1};
constexpr std::chrono::seconds kReapPeriod{2};
// What a killed app has printed is read for so long; a log that nobody reads may hold it up.
constexpr std::chrono::seconds kLastWords{1};

// Ended children of this process that nobody has waited for.
std::set<pid_t> find_zombies() {
  std::set<pid_t> found;
  const std::string self = std::to_string(::getpid());
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    std::string stat, state, parent;
    std::getline(file, stat);
    // The name of the program, in parentheses, may hold anything.
    const std::size_t behind = stat.rfind(") ");
    if (behind == std::string::npos) continue;
    state = stat.substr(behind + 2, 1);
    parent = stat.substr(behind + 4, stat.find(' ', behind + 4) - behind - 4);
    if (state == "Z" && parent == self) found.insert(static_cast<pid_t>(std::stol(name)));
  }
  return found;
}

}  // namespace

AppProcess::AppProcess(Logging& logging, boost::asio::io_context& io)
    : logging_(logging),
      // Not SIGHUP: it is ours, and ends an app that does not expect it.
      signals_(io),
      reap_timer_(io) {
  for (const int number : {SIGUSR1, SIGUSR2, SIGQUIT, SIGWINCH, SIGTTIN, SIGTTOU}) signals_.add(number);
}

result<std::unique_ptr<AppProcess>> AppProcess::start(const std::vector<std::string>& command, Logging& logging,
                                                      boost::asio::io_context& io, std::function<void(int)> on_end) {
  // Whoever started us may ignore it; then nobody would learn how the app ended.
  std::signal(SIGCHLD, SIG_DFL);
  // As process 1 we inherit orphans anyway; elsewhere they would escape to it.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  std::unique_ptr<AppProcess> app(new AppProcess(logging, io));
  const auto form = logging.format() == LogFormat::kJson ? AppLogForm::kJsonLines : AppLogForm::kAsWritten;
  auto child = ChildProcess::start(
      command, logging.redactor(), form,
      [self = app.get()](ChildProcess::Stream stream, std::string_view text) {
        self->print(self->lines_[stream == ChildProcess::Stream::kOut ? 0 : 1], text);
      },
      [self = app.get(), &io, on_end = std::move(on_end)](int status) {
        for (std::string& line : self->lines_)
          if (!line.empty()) self->print(line, "\n");
        boost::asio::post(io, [on_end, status] { on_end(status); });
      });
  if (!child) return child.error();
  app->child_ = std::move(*child);
  app->pass_signals_on();
  app->reap_orphans();
  return app;
}

void AppProcess::print(std::string& line, std::string_view text) {
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    line += text.substr(0, newline);
    text.remove_prefix(std::min(text.size(), newline == std::string_view::npos ? newline : newline + 1));
    if (newline == std::string_view::npos && line.size() < kLongestLine) return;
    line += '\n';
    logging_.queue().push_line_patiently(line, kReaderPatience);
    line.clear();
  }
}

void AppProcess::pass_signals_on() {
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    child_->signal(number);
    pass_signals_on();
  });
}

// Whoever started a child of ours waits for it within milliseconds; what is still there at the second look is an
// orphan's, and nobody else's business. Waiting for just any child would take the others' results away.
void AppProcess::reap_orphans() {
  siginfo_t ended{};
  std::set<pid_t> now;
  if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0) now = find_zombies();
  for (const pid_t zombie : now)
    if (zombie != child_->id() && zombies_.contains(zombie)) ::waitpid(zombie, nullptr, WNOHANG);
  zombies_ = std::move(now);
  reap_timer_.expires_after(kReapPeriod);
  reap_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) reap_orphans();
  });
}

void AppProcess::stop(int signal, std::chrono::milliseconds patience) {
  child_->signal(signal);
  if (child_->ended().wait_for(patience) == std::future_status::ready) return;
  child_->signal_group(SIGKILL);
  child_->ended().wait_for(kLastWords);
}

int AppProcess::status() const {
  const auto ended = child_->ended();
  return ended.wait_for(kLastWords) == std::future_status::ready ? ended.get() : 128 + SIGKILL;
}

}  // namespace gatehouse
