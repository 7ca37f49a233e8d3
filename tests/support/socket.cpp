#include "support/socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace gatehouse::test {
namespace {

constexpr timeval kPatience{30, 0};

}  // namespace

Socket::Socket(int descriptor) : descriptor_(descriptor) {
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
}

Socket::Socket(Socket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), received_(std::move(other.received_)), end_(other.end_) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  close();
  descriptor_ = std::exchange(other.descriptor_, -1);
  received_ = std::move(other.received_);
  end_ = other.end_;
  return *this;
}

Socket::~Socket() { close(); }

Socket Socket::connect(std::uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    socket.end_ = End::kReset;
  return socket;
}

bool Socket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Socket::receive() {
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::recv(descriptor_, buffer, sizeof buffer, 0);
    if (got > 0) {
      received_.append(buffer, static_cast<std::size_t>(got));
      return true;
    }
    if (got < 0 && errno == EINTR) continue;
    end_ = got == 0 ? End::kOrderly : errno == EAGAIN || errno == EWOULDBLOCK ? End::kTimeout : End::kReset;
    return false;
  }
}

std::optional<std::string> Socket::read_until(std::string_view mark) {
  std::size_t at;
  while ((at = received_.find(mark)) == std::string::npos)
    if (!receive()) return std::nullopt;
  std::string text = received_.substr(0, at + mark.size());
  received_.erase(0, text.size());
  return text;
}

std::optional<std::string> Socket::read_exactly(std::size_t size) {
  while (received_.size() < size)
    if (!receive()) return std::nullopt;
  std::string text = received_.substr(0, size);
  received_.erase(0, size);
  return text;
}

std::string Socket::read_all() {
  while (receive()) {
  }
  return std::exchange(received_, {});
}

void Socket::half_close() { ::shutdown(descriptor_, SHUT_WR); }

void Socket::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void Socket::reset() {
  const linger now{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

void Socket::take_little() {
  const int size = 4096;
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

namespace {

std::optional<std::string> field_value(const std::string& head, std::string_view lower_name) {
  for (std::size_t at = head.find("\r\n"); at != std::string::npos && at + 2 < head.size();
       at = head.find("\r\n", at + 2)) {
    const std::size_t colon = head.find(':', at);
    if (colon == std::string::npos) return std::nullopt;
    std::string name = head.substr(at + 2, colon - at - 2);
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (name == lower_name) return head.substr(colon + 2, head.find("\r\n", colon) - colon - 2);
  }
  return std::nullopt;
}

bool read_chunks(Socket& socket, std::string& body) {
  for (;;) {
    const auto line = socket.read_until("\r\n");
    if (!line) return false;
    const std::size_t size = std::strtoul(line->c_str(), nullptr, 16);
    if (size == 0) break;
    const auto data = socket.read_exactly(size + 2);
    if (!data) {
      body += socket.rest();
      return false;
    }
    body.append(*data, 0, size);
  }
  for (;;) {
    const auto line = socket.read_until("\r\n");
    if (!line) return false;
    if (*line == "\r\n") return true;
  }
}

}  // namespace

ClientResponse read_response(Socket& socket, bool head_only) {
  ClientResponse response;
  do {
    const auto head = socket.read_until("\r\n\r\n");
    if (!head) return response;
    response.head = *head;
    response.status = std::atoi(head->c_str() + 9);
  } while (response.status / 100 == 1 && response.status != 101);
  if (head_only || response.status == 101 || response.status == 204 || response.status == 304) {
    response.complete = true;
  } else if (field_value(response.head, "transfer-encoding")) {
    response.complete = read_chunks(socket, response.body);
  } else if (const auto length = field_value(response.head, "content-length")) {
    const auto body = socket.read_exactly(std::strtoul(length->c_str(), nullptr, 10));
    response.complete = body.has_value();
    response.body = body.value_or(socket.rest());
  } else {
    response.body = socket.read_all();
    response.complete = socket.end() == Socket::End::kOrderly;
  }
  return response;
}

}  // namespace gatehouse::test
