// A blocking TCP socket for tests: sends exactly what it is given, reads up to a mark, and tells an orderly end from a
// reset. Every wait ends after a generous patience, so that a broken test fails instead of hanging.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::test {

class Socket {
 public:
  enum class End : std::uint8_t { kOpen, kOrderly, kReset, kTimeout };

  Socket() = default;
  explicit Socket(int descriptor);
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();
  // To a port of 127.0.0.1.
  static Socket connect(std::uint16_t port);

  // False when the peer takes no more.
  bool send(std::string_view bytes);
  // Everything up to and including `mark`; nothing when the end came first: see end() and rest().
  std::optional<std::string> read_until(std::string_view mark);
  std::optional<std::string> read_exactly(std::size_t size);
  // Everything up to the end.
  std::string read_all();
  // What was received and not yet handed out.
  const std::string& rest() const noexcept { return received_; }
  End end() const noexcept { return end_; }

  // No more bytes from this side (FIN).
  void half_close();
  void close();
  // Closes with RST.
  void reset();
  void take_little();  // a small receive buffer: the peer soon has to wait
  int descriptor() const noexcept { return descriptor_; }

 private:
  bool receive();
  int descriptor_ = -1;
  std::string received_;
  End end_ = End::kOpen;
};

// One HTTP response, whole. `body` decoded; `complete` says whether it ended as its head promised.
struct ClientResponse {
  int status = 0;
  std::string head;
  std::string body;
  bool complete = false;
  bool has(std::string_view field_line) const {
    return head.find("\r\n" + std::string(field_line) + "\r\n") != std::string::npos;
  }
};
// Reads the next final response; `head_only` for answers to HEAD.
ClientResponse read_response(Socket& socket, bool head_only = false);

}  // namespace gatehouse::test
