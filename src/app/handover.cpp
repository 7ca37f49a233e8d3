#include "app/handover.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

extern char** environ;

namespace gatehouse {
namespace {

constexpr const char* kVariable = "GATEHOUSE_HANDOVER";
constexpr int kPassedAs = 3;  // the descriptor of the socket in the new process
constexpr int kReceivePatience = 10000;  // milliseconds
constexpr char kSocketMessage = 's';
constexpr char kTrafficMessage = 't';
constexpr char kEndMessage = 'e';
constexpr char kReadyMessage = 'r';

// One message with at most one descriptor in it, and a line of text.
bool send_message(int socket, char kind, int descriptor, const std::string& text = {}) {
  std::string bytes = kind + text;
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(bytes.size());
}

struct Received {
  char kind = 0;  // 0: the other side is gone
  net::Descriptor descriptor;
  std::string text;
};

Received receive_message(int socket) {
  Received received;
  pollfd waiting{socket, POLLIN, 0};
  if (::poll(&waiting, 1, kReceivePatience) != 1) return received;
  char bytes[1 + Handover::kLongestTraffic];
  iovec part{bytes, sizeof bytes};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (size > 0) {
    received.kind = bytes[0];
    received.text.assign(bytes + 1, static_cast<std::size_t>(size) - 1);
  }
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    received.descriptor.reset(descriptor);
  }
  return received;
}

// The environment with the variable of this page, and without what systemd said to this process alone.
std::vector<std::string> environment_for_successor() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!std::string_view(*variable).starts_with(std::string(kVariable) + "=")) variables.emplace_back(*variable);
  variables.push_back(std::string(kVariable) + "=" + std::to_string(kPassedAs));
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

// The process number, or 0 with errno.
int spawn(std::vector<std::string> command, int socket) {
  posix_spawn_file_actions_t actions;
  if (::posix_spawn_file_actions_init(&actions) != 0) return 0;
  // Also clears close-on-exec.
  ::posix_spawn_file_actions_adddup2(&actions, socket, kPassedAs);
  // Libraries do not always mark what they open.
  ::posix_spawn_file_actions_addclosefrom_np(&actions, kPassedAs + 1);
  std::vector<std::string> variables = environment_for_successor();
  pid_t process = 0;
  const int error = ::posix_spawn(&process, command.front().c_str(), &actions, nullptr, pointers(command).data(), pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  errno = error;
  return error == 0 ? process : 0;
}

}  // namespace

std::unique_ptr<Successor> Successor::from_environment() {
  const char* const text = std::getenv(kVariable);
  if (text == nullptr || std::string_view(text) != std::to_string(kPassedAs)) return nullptr;
  ::unsetenv(kVariable);
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(kPassedAs, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) return nullptr;
  ::fcntl(kPassedAs, F_SETFD, FD_CLOEXEC);
  return std::unique_ptr<Successor>(new Successor(net::Descriptor(kPassedAs)));
}

bool Successor::receive(InheritedSockets& sockets) {
  for (;;) {
    Received received = receive_message(socket_.get());
    if (received.kind == kEndMessage) return true;
    if (received.kind == kTrafficMessage) {
      traffic_ = std::move(received.text);
      continue;
    }
    if (received.kind != kSocketMessage) return false;
    if (received.descriptor) sockets.add(std::move(received.descriptor));
  }
}

void Successor::tell_ready() {
  send_message(socket_.get(), kReadyMessage, -1);
  socket_.reset();
}

struct Handover::State : std::enable_shared_from_this<Handover::State> {
  State(boost::asio::io_context& io, Done on_done) : socket(io), timer(io), done(std::move(on_done)) {}

  void wait() {
    socket.async_wait(boost::asio::posix::descriptor_base::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (error || !self->done) return;
      char word = 0;
      const bool ready = ::recv(self->socket.native_handle(), &word, 1, MSG_DONTWAIT) == 1 && word == kReadyMessage;
      self->finish(ready ? std::string() : "the new process ended before it was ready; its messages are on stderr and in the log");
    });
  }
  void finish(std::string problem) {
    boost::system::error_code ignored;
    socket.close(ignored);
    timer.cancel();
    if (!problem.empty() && process != 0) {
      ::kill(process, SIGKILL);
      ::waitpid(process, nullptr, 0);
      process = 0;
    }
    if (const Done call = std::exchange(done, {})) call({process, std::move(problem)});
  }

  boost::asio::posix::stream_descriptor socket;
  boost::asio::steady_timer timer;
  Done done;
  int process = 0;
};

Handover::Handover(boost::asio::io_context& io, Done done) : state_(std::make_shared<State>(io, std::move(done))) {}

Handover::~Handover() { state_->done = {}; }

void Handover::start(const std::vector<std::string>& command, const std::vector<int>& sockets, const std::string& traffic,
                     std::chrono::milliseconds patience) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return state_->finish(std::string("no socket for it: ") + std::strerror(errno));
  net::Descriptor theirs(pair[1]);
  state_->socket.assign(pair[0]);
  state_->process = spawn(command, theirs.get());
  if (state_->process == 0) return state_->finish("cannot run " + command.front() + ": " + std::strerror(errno));
  theirs.reset();
  for (const int socket : sockets)
    if (!send_message(pair[0], kSocketMessage, socket)) return state_->finish("it did not take the listening sockets; its messages are on stderr and in the log");
  if (!traffic.empty()) send_message(pair[0], kTrafficMessage, -1, traffic);
  send_message(pair[0], kEndMessage, -1);
  state_->timer.expires_after(patience);
  state_->timer.async_wait([state = state_](const boost::system::error_code& error) {
    if (!error) state->finish("the new process was not ready in time");
  });
  state_->wait();
}

}  // namespace gatehouse
