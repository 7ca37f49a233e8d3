// An app that does, byte by byte, what the test says. Listens on a free port of 127.0.0.1; each connection plays the
// next script in a thread of its own, the last script for all further ones.
#pragma once

#include "support/socket.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gatehouse::test {

// The app's end of one connection.
struct Peer {
  Socket& socket;
  std::size_t number;                       // of the connection, from 0
  std::function<void(std::string)> record;  // keeps a text for ScriptedUpstream::seen()

  // Reads a request head and its body; keeps the request line, a space and the body. False at the end of the
  // connection.
  bool read_request();
  // Keeps how the connection ended: "orderly", "reset" or "timeout".
  void record_end();
};

class ScriptedUpstream {
 public:
  using Script = std::function<void(Peer&)>;
  explicit ScriptedUpstream(std::vector<Script> scripts);
  explicit ScriptedUpstream(Script script) : ScriptedUpstream(std::vector<Script>{std::move(script)}) {}
  ~ScriptedUpstream();
  ScriptedUpstream(const ScriptedUpstream&) = delete;
  ScriptedUpstream& operator=(const ScriptedUpstream&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  std::size_t connections() const noexcept { return connections_; }
  // What scripts have recorded so far.
  std::vector<std::string> seen() const;
  // Waits until a script has recorded that text; false when it does not in time.
  bool waits_to_see(const std::string& text) const;

 private:
  void accept();
  std::vector<Script> scripts_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> connections_{0};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<std::string> seen_;
  std::vector<int> open_;
  std::vector<std::thread> players_;
  std::thread acceptor_;
};

}  // namespace gatehouse::test
