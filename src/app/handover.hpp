// The talk between a process and the one that replaces it, over a Unix socket: listening sockets one way (SCM_RIGHTS, unix(7)) and who has the
// traffic, one word the other. Main thread of either process.
#pragma once

#include "app/inherited_sockets.hpp"
#include "net/descriptor.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace gatehouse {

// The side of the new process.
class Successor {
 public:
  // This process was started to replace another one: the socket to it. Nothing otherwise.
  static std::unique_ptr<Successor> from_environment();

  // Waits a few seconds for the sockets of the other process. False when it is gone.
  bool receive(InheritedSockets& sockets);
  // The other process may go. Call it once this one is ready.
  void tell_ready();
  // What Handover::start() was given as traffic; empty: nothing.
  const std::string& traffic() const noexcept { return traffic_; }

 private:
  explicit Successor(net::Descriptor socket) : socket_(std::move(socket)) {}
  net::Descriptor socket_;
  std::string traffic_;
};

// The side of the old process: starts the new one and waits for its word.
class Handover {
 public:
  struct Outcome {
    int process = 0;      // of the successor that is ready; 0: there is none
    std::string problem;  // why
  };
  // Called once.
  using Done = std::function<void(const Outcome&)>;
  Handover(boost::asio::io_context& io, Done done);
  ~Handover();
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  // Runs `command` (program and arguments) and passes it `sockets`, which stay open here, and `traffic`, a line of at most kLongestTraffic bytes
  // (empty: nothing is said about it). A successor that is not ready after `patience` is killed.
  static constexpr std::size_t kLongestTraffic = 255;
  void start(const std::vector<std::string>& command, const std::vector<int>& sockets, const std::string& traffic, std::chrono::milliseconds patience);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gatehouse
