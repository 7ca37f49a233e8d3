// Listening sockets that somebody else has opened: systemd (socket activation), or the process that this one replaces. A configured
// listener takes those that are bound to its address. Main thread.
#pragma once

#include "net/descriptor.hpp"
#include "net/endpoint.hpp"

#include <string>
#include <vector>

namespace gatehouse {

class InheritedSockets {
 public:
  // Takes over what systemd passed to this very process (LISTEN_PID, LISTEN_FDS; sd_listen_fds(3)), and removes these variables.
  void take_from_environment();
  // Takes over a listening socket.
  void add(net::Descriptor socket);

  bool empty() const noexcept { return sockets_.empty(); }
  // `count` sockets for that address, or none where nobody passed one. Where fewer were passed they are shared.
  std::vector<net::Descriptor> take(const net::Endpoint& endpoint, std::size_t count);
  // Addresses that nobody took.
  std::vector<std::string> left() const;

 private:
  struct Socket {
    net::Endpoint endpoint;
    net::Descriptor descriptor;
  };
  std::vector<Socket> sockets_;
};

}  // namespace gatehouse
