// A real redis-server of the test's own, in a folder of its own, on a Unix socket; with TLS on a free port where asked
// for.
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <string>
#include <vector>

namespace gatehouse::test {

class RedisServer {
 public:
  // Throws std::runtime_error with Redis's own words when it does not start.
  explicit RedisServer(std::vector<std::string> options = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // Back when it accepts connections.
  void start();
  void kill();
  // Alive, and silent.
  void freeze();
  void thaw();

  const std::string& folder() const noexcept { return folder_; }
  std::string socket_path() const { return folder_ + "/redis.sock"; }
  std::string url() const { return "unix://" + socket_path(); }
  // What Redis answers to one command, raw.
  std::string command(const std::vector<std::string>& words) const;

 private:
  void signal(int number);

  std::string folder_;
  std::vector<std::string> options_;
  pid_t process_ = 0;
};

// A port of 127.0.0.1 that nobody listened on just now.
std::uint16_t free_port();

}  // namespace gatehouse::test
