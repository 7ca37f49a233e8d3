// Well when a program ends with exit status 0. It runs without a shell, reads nothing, and what it writes is thrown
// away; at the deadline it is killed with everything it started. Thread: the io_context's.
#pragma once

#include "health/prober.hpp"

#include <sys/types.h>
#include <boost/asio/io_context.hpp>
#include <vector>

namespace gatehouse::health {

class CommandProber final : public Prober {
 public:
  // `command`: the program, looked for in PATH, and its arguments; not empty.
  CommandProber(boost::asio::io_context& io, std::vector<std::string> command);
  ~CommandProber() override;
  awaitable<std::string> probe(net::Clock::time_point deadline) override;

 private:
  int start();
  bool has_ended(std::string& error);

  boost::asio::io_context& io_;
  std::vector<std::string> command_;
  pid_t running_ = 0;  // also its process group; a child that even SIGKILL has not ended yet stays here
};

}  // namespace gatehouse::health
