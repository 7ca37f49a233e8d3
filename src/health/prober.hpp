// Asks one thing once whether it is well. Owner: its CheckLoop, which never asks twice at the same time. Thread: the
// io_context's.
#pragma once

#include "net/deadline.hpp"

#include <boost/asio/awaitable.hpp>
#include <string>

namespace gatehouse::health {

using boost::asio::awaitable;

class Prober {
 public:
  virtual ~Prober() = default;
  // Empty when all is well, else what is wrong as the end of a sentence ("does not accept connections"): one line, made
  // of words of ours, never of what the other side sent and never with a secret. Answers soon after `deadline` at the
  // latest.
  virtual awaitable<std::string> probe(net::Clock::time_point deadline) = 0;
};

}  // namespace gatehouse::health
