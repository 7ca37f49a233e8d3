#include "health/mysql_protocol.hpp"

#include <openssl/evp.h>
#include <algorithm>
#include <cstdint>

namespace gatehouse::health {
namespace {

constexpr std::size_t kNonce = 20;
constexpr std::size_t kFirstNonce = 8;
constexpr std::string_view kNative = "mysql_native_password";
constexpr std::string_view kCachingSha2 = "caching_sha2_password";

// CLIENT_LONG_PASSWORD, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH
constexpr std::uint32_t kCapabilities = 0x1 | 0x200 | 0x2000 | 0x8000 | 0x80000;

unsigned char byte_at(std::string_view bytes, std::size_t at) noexcept { return static_cast<unsigned char>(bytes[at]); }

std::string_view until_zero(std::string_view bytes) noexcept { return bytes.substr(0, bytes.find('\0')); }

std::string digest(const EVP_MD* algorithm, std::string_view first, std::string_view second = {}) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const std::string both = std::string(first) + std::string(second);
  if (EVP_Digest(both.data(), both.size(), out, &size, algorithm, nullptr) != 1) size = 0;
  return {reinterpret_cast<const char*>(out), size};
}

std::string exclusive_or(std::string left, std::string_view right) {
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) left[i] = static_cast<char>(left[i] ^ right[i]);
  return left;
}

}  // namespace

std::size_t mysql_length(std::string_view header) noexcept {
  return byte_at(header, 0) | static_cast<std::size_t>(byte_at(header, 1)) << 8 |
         static_cast<std::size_t>(byte_at(header, 2)) << 16;
}

std::string mysql_packet(std::string_view payload, unsigned char sequence) {
  std::string packet;
  for (int shift = 0; shift < 24; shift += 8) packet += static_cast<char>(payload.size() >> shift & 0xff);
  packet += static_cast<char>(sequence);
  packet += payload;
  return packet;
}

// Version 10: version text, 0, thread (4), nonce (8), 0, capabilities (2), character set, status (2), capabilities (2),
// length of the nonce, reserved (10), rest of the nonce (13 with its 0), plugin, 0.
std::optional<MysqlGreeting> read_mysql_greeting(std::string_view payload) {
  if (payload.empty() || byte_at(payload, 0) != 10) return std::nullopt;
  const std::size_t end = payload.find('\0', 1);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view rest = payload.substr(end + 1);
  constexpr std::size_t kFirst = 4;
  constexpr std::size_t kSecond = kFirst + kFirstNonce + 1 + 2 + 1 + 2 + 2 + 1 + 10;
  constexpr std::size_t kPlugin = kSecond + 13;
  if (rest.size() < kPlugin) return std::nullopt;
  MysqlGreeting greeting;
  greeting.nonce = rest.substr(kFirst, kFirstNonce);
  greeting.nonce += rest.substr(kSecond, kNonce - kFirstNonce);
  greeting.plugin = until_zero(rest.substr(kPlugin));
  return greeting;
}

std::optional<MysqlGreeting> read_mysql_switch(std::string_view payload) {
  if (payload.empty() || byte_at(payload, 0) != 0xfe) return std::nullopt;
  MysqlGreeting wanted;
  wanted.plugin = until_zero(payload.substr(1));
  const std::size_t behind = 1 + wanted.plugin.size() + 1;
  if (behind < payload.size()) wanted.nonce = payload.substr(behind, kNonce);
  return wanted;
}

std::optional<std::string> mysql_proof(std::string_view plugin, std::string_view password, std::string_view nonce) {
  if (plugin != kNative && plugin != kCachingSha2) return std::nullopt;
  if (password.empty()) return std::string();
  const bool native = plugin == kNative;
  const EVP_MD* algorithm = native ? EVP_sha1() : EVP_sha256();
  const std::string once = digest(algorithm, password);
  const std::string twice = digest(algorithm, once);
  return exclusive_or(once, native ? digest(algorithm, nonce, twice) : digest(algorithm, twice, nonce));
}

std::string mysql_login(std::string_view user, std::string_view plugin, std::string_view proof) {
  std::string payload;
  for (int shift = 0; shift < 32; shift += 8) payload += static_cast<char>(kCapabilities >> shift & 0xff);
  payload.append("\0\0\0\1", 4);     // the largest packet taken: 16 MiB
  payload += static_cast<char>(33);  // utf8, which every version knows
  payload.append(23, '\0');
  payload += user;
  payload += '\0';
  payload += static_cast<char>(proof.size());
  payload += proof;
  payload += plugin;
  payload += '\0';
  return payload;
}

int mysql_error(std::string_view payload) noexcept {
  if (payload.size() < 3 || byte_at(payload, 0) != 0xff) return 0;
  return byte_at(payload, 1) | byte_at(payload, 2) << 8;
}

std::string explain_mysql_error(int error, bool has_credentials) {
  switch (error) {
    case 1040:
    case 1203:
      return "has no connection left (error " + std::to_string(error) + ")";
    case 1044:
    case 1045:
    case 1698:
      // Without a password to prove, being turned away is all that can be had: it reads logins and judges them.
      return has_credentials ? "refuses the credentials (error " + std::to_string(error) + ")" : std::string();
    case 1053:
      return "is stopping (error 1053)";
    case 1129:
      return "has blocked this host after too many broken connections (error 1129)";
    case 1130:
      return "does not take connections from this host (error 1130)";
    case 3159:
      return {};  // it wants TLS before it goes on, so it is there
    default:
      return "answered with an error (error " + std::to_string(error) + ")";
  }
}

}  // namespace gatehouse::health
