#include "support/redis_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

extern char** environ;

namespace gatehouse::test {
namespace {

constexpr const char* kReady = "eady to accept connections";

}  // namespace

RedisServer::RedisServer(std::vector<std::string> options) : options_(std::move(options)) {
  std::string pattern = (std::filesystem::temp_directory_path() / "gatehouse-redis-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
  start();
}

RedisServer::~RedisServer() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void RedisServer::start() {
  std::vector<std::string> words = {"redis-server", "--port", "0",     "--unixsocket", socket_path(),
                                    "--save",       "",       "--dir", folder_};
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);
  const int failed = ::posix_spawnp(&process_, "redis-server", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_ends[1]);
  if (failed != 0) throw std::runtime_error("cannot start redis-server: " + std::string(std::strerror(failed)));

  // Redis says on its output when it is ready; the end of the output means that it gave up.
  std::string output;
  char part[512];
  while (output.find(kReady) == std::string::npos) {
    const auto size = ::read(pipe_ends[0], part, sizeof(part));
    if (size <= 0) throw std::runtime_error("redis-server ended: " + output);
    output.append(part, static_cast<std::size_t>(size));
  }
  ::close(pipe_ends[0]);
}

void RedisServer::kill() {
  if (process_ == 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = 0;
}

void RedisServer::signal(int number) {
  ::kill(process_, number);
  // Until the signal has done its work.
  int status = 0;
  ::waitpid(process_, &status, WUNTRACED | WCONTINUED);
}

void RedisServer::freeze() { signal(SIGSTOP); }
void RedisServer::thaw() { signal(SIGCONT); }

std::string RedisServer::command(const std::vector<std::string>& words) const {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path().c_str(), sizeof(address.sun_path) - 1);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    throw std::runtime_error("cannot connect to Redis");
  std::string request = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words) request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  if (::write(socket, request.data(), request.size()) != static_cast<ssize_t>(request.size()))
    throw std::runtime_error("cannot write to Redis");
  ::shutdown(socket, SHUT_WR);
  std::string reply;
  char part[4096];
  for (ssize_t size = 0; (size = ::read(socket, part, sizeof(part))) > 0;)
    reply.append(part, static_cast<std::size_t>(size));
  ::close(socket);
  return reply;
}

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(socket);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

}  // namespace gatehouse::test
