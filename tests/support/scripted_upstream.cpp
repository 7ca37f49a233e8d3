#include "support/scripted_upstream.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>

namespace gatehouse::test {

bool Peer::read_request() {
  const auto head = socket.read_until("\r\n\r\n");
  if (!head) return false;
  std::string body;
  const std::size_t length = head->find("\r\ncontent-length: ");
  if (length != std::string::npos) {
    const auto bytes = socket.read_exactly(std::strtoul(head->c_str() + length + 18, nullptr, 10));
    if (!bytes) return false;
    body = *bytes;
  } else if (head->find("\r\ntransfer-encoding: chunked\r\n") != std::string::npos) {
    for (;;) {
      const auto line = socket.read_until("\r\n");
      if (!line) return false;
      const std::size_t size = std::strtoul(line->c_str(), nullptr, 16);
      const auto data = socket.read_exactly(size + 2);
      if (!data) return false;
      if (size == 0) break;
      body.append(*data, 0, size);
    }
  }
  const std::string line = head->substr(0, head->find(" HTTP/1.1\r\n"));
  record(body.empty() ? line : line + " " + body);
  return true;
}

void Peer::record_end() {
  socket.read_all();
  record(socket.end() == Socket::End::kOrderly ? "orderly" : socket.end() == Socket::End::kReset ? "reset" : "timeout");
}

ScriptedUpstream::ScriptedUpstream(std::vector<Script> scripts)
    : scripts_(std::move(scripts)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::listen(listener_, 128);
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept(); });
}

ScriptedUpstream::~ScriptedUpstream() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
  }
  for (std::thread& player : players_) player.join();
  ::close(listener_);
}

void ScriptedUpstream::accept() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const std::size_t number = connections_++;
    {
      const std::lock_guard lock(mutex_);
      open_.push_back(descriptor);
    }
    players_.emplace_back([this, descriptor, number] {
      Socket socket(descriptor);
      Peer peer{socket, number, [this](std::string text) {
                  const std::lock_guard lock(mutex_);
                  seen_.push_back(std::move(text));
                  changed_.notify_all();
                }};
      scripts_[std::min(number, scripts_.size() - 1)](peer);
      const std::lock_guard lock(mutex_);
      open_.erase(std::find(open_.begin(), open_.end(), descriptor));
      socket.close();
    });
  }
}

std::vector<std::string> ScriptedUpstream::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

bool ScriptedUpstream::waits_to_see(const std::string& text) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(30),
                           [&] { return std::find(seen_.begin(), seen_.end(), text) != seen_.end(); });
}

}  // namespace gatehouse::test
