#include "net/endpoint.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <sys/un.h>

namespace gatehouse::net {

Endpoint::Endpoint(const sockaddr* address, socklen_t size) noexcept : size_(std::min(size, capacity())) {
  std::memcpy(&storage_, address, size_);
}

result<Endpoint> Endpoint::ip(std::string_view address, std::uint16_t port) {
  const std::string text(address);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1)
    return Endpoint(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1)
    return Endpoint(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
  return make_error_code(errc::invalid_argument);
}

result<Endpoint> Endpoint::unix_path(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return make_error_code(errc::too_large);
  std::memcpy(address.sun_path, path.data(), path.size());
  return Endpoint(reinterpret_cast<const sockaddr*>(&address),
                  static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1));
}

std::uint16_t Endpoint::port() const noexcept {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port);
  return 0;
}

std::array<std::uint8_t, 16> Endpoint::bytes() const noexcept {
  std::array<std::uint8_t, 16> bytes{};
  if (family() == AF_INET) {
    bytes[10] = bytes[11] = 0xff;
    std::memcpy(&bytes[12], &reinterpret_cast<const sockaddr_in&>(storage_).sin_addr, 4);
  } else if (family() == AF_INET6) {
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr, 16);
  }
  return bytes;
}

std::string_view Endpoint::address_text(std::array<char, 48>& buffer) const noexcept {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (family() != AF_INET && family() != AF_INET6) return "unix";
  const auto raw = bytes();
  // A dual-stack listener reports IPv4 clients as mapped; people know them by their IPv4 address.
  const bool v4 = std::equal(kMapped.begin(), kMapped.end(), raw.begin());
  inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? raw.data() + 12 : raw.data(), buffer.data(),
            static_cast<socklen_t>(buffer.size()));
  return buffer.data();
}

std::string Endpoint::text() const {
  if (is_unix()) return std::string("unix:") + reinterpret_cast<const sockaddr_un&>(storage_).sun_path;
  std::array<char, 48> buffer{};
  const std::string address(address_text(buffer));
  const bool brackets = address.find(':') != std::string::npos;
  return (brackets ? "[" + address + "]" : address) + ":" + std::to_string(port());
}

}  // namespace gatehouse::net
