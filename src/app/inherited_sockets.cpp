#include "app/inherited_sockets.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>

namespace gatehouse {
namespace {

constexpr int kFirstPassed = 3;  // SD_LISTEN_FDS_START

int number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  int number = -1;
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), number);
  return number;
}

bool everywhere(const net::Endpoint& endpoint) { return endpoint.bytes() == std::array<std::uint8_t, 16>{} || endpoint.text().starts_with("0.0.0.0:"); }

// systemd listens on [::] where only a port is given: that is everywhere, as 0.0.0.0 is.
bool same_place(const net::Endpoint& passed, const net::Endpoint& wanted) {
  if (passed.text() == wanted.text()) return true;
  return !passed.is_unix() && !wanted.is_unix() && passed.port() == wanted.port() && everywhere(passed) && everywhere(wanted);
}

}  // namespace

void InheritedSockets::take_from_environment() {
  const int count = number_in("LISTEN_PID") == ::getpid() ? number_in("LISTEN_FDS") : 0;
  for (int i = 0; i < count; ++i) add(net::Descriptor(kFirstPassed + i));
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
}

void InheritedSockets::add(net::Descriptor socket) {
  net::Endpoint endpoint;
  socklen_t size = net::Endpoint::capacity();
  int listening = 0;
  socklen_t listening_size = sizeof listening;
  if (::getsockname(socket.get(), endpoint.data(), &size) != 0) return;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_size) != 0 || listening == 0) return;
  endpoint.resize(size);
  ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
  sockets_.push_back({endpoint, std::move(socket)});
}

std::vector<net::Descriptor> InheritedSockets::take(const net::Endpoint& endpoint, std::size_t count) {
  std::vector<net::Descriptor> taken;
  for (Socket& socket : sockets_)
    if (same_place(socket.endpoint, endpoint)) taken.push_back(std::move(socket.descriptor));
  std::erase_if(sockets_, [](const Socket& socket) { return !socket.descriptor; });
  const std::size_t passed = taken.size();
  while (passed != 0 && taken.size() < count) taken.emplace_back(::fcntl(taken[taken.size() % passed].get(), F_DUPFD_CLOEXEC, 0));
  return taken;
}

std::vector<std::string> InheritedSockets::left() const {
  std::vector<std::string> addresses;
  for (const Socket& socket : sockets_)
    if (std::find(addresses.begin(), addresses.end(), socket.endpoint.text()) == addresses.end()) addresses.push_back(socket.endpoint.text());
  return addresses;
}

}  // namespace gatehouse
