// The talk between a process and the one that replaces it, over a Unix socket: listening sockets one way (SCM_RIGHTS, unix(7)), one word
// the other. Main thread of either process.
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

 private:
  explicit Successor(net::Descriptor socket) : socket_(std::move(socket)) {}
  net::Descriptor socket_;
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

  // Runs `command` (program and arguments) and passes it `sockets`, which stay open here. A successor that is not ready after `patience`
  // is killed.
  void start(const std::vector<std::string>& command, const std::vector<int>& sockets, std::chrono::milliseconds patience);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gatehouse
