// One socket address: IPv4, IPv6 or a Unix path. A value.
#pragma once

#include <gatehouse/result.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace gatehouse::net {

class Endpoint {
 public:
  Endpoint() = default;
  Endpoint(const sockaddr* address, socklen_t size) noexcept;
  // An IP address literal and a port; no names (see resolver.hpp).
  static result<Endpoint> ip(std::string_view address, std::uint16_t port);
  // errc::too_large when the path does not fit into a sockaddr_un (107 bytes).
  static result<Endpoint> unix_path(std::string_view path);

  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage_); }
  socklen_t size() const noexcept { return size_; }
  void resize(socklen_t size) noexcept { size_ = size; }
  static constexpr socklen_t capacity() noexcept { return sizeof(sockaddr_storage); }

  int family() const noexcept { return storage_.ss_family; }
  bool is_unix() const noexcept { return family() == AF_UNIX; }
  std::uint16_t port() const noexcept;
  // The IP address as 16 bytes, IPv4 mapped into IPv6; zeros for a Unix socket.
  std::array<std::uint8_t, 16> bytes() const noexcept;
  // "127.0.0.1", "::1" or "unix"; written into `buffer`.
  std::string_view address_text(std::array<char, 48>& buffer) const noexcept;
  // "127.0.0.1:80", "[::1]:80" or "unix:/path", for logs and errors.
  std::string text() const;

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace gatehouse::net
