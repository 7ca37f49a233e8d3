// The part of the MySQL protocol that a login needs: packets as bytes in and bytes out, no sockets. What a server sends
// is untrusted: every field is looked for, none is counted on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::health {

constexpr std::size_t kMysqlHeader = 4;      // of each packet: 3 bytes of length, 1 of sequence
constexpr std::size_t kMysqlPacket = 16384;  // more than any server says before it knows the user

// The length of the packet's payload; `header` has kMysqlHeader bytes.
std::size_t mysql_length(std::string_view header) noexcept;
std::string mysql_packet(std::string_view payload, unsigned char sequence);

struct MysqlGreeting {
  std::string nonce;   // 20 bytes
  std::string plugin;  // how the server would like the password proven
};
// From the payload of the first packet; nothing when it is none.
std::optional<MysqlGreeting> read_mysql_greeting(std::string_view payload);
// From a request to prove the password in another way (first byte 0xfe).
std::optional<MysqlGreeting> read_mysql_switch(std::string_view payload);

// The proof of `password` that `plugin` wants: empty for an empty password; nothing when the plugin is not known here.
std::optional<std::string> mysql_proof(std::string_view plugin, std::string_view password, std::string_view nonce);
// The payload of the answer to a greeting.
std::string mysql_login(std::string_view user, std::string_view plugin, std::string_view proof);

// The number in an error packet (first byte 0xff); zero when it is none.
int mysql_error(std::string_view payload) noexcept;
// What it says about the server, as the end of a sentence; empty where a server that says it is well.
std::string explain_mysql_error(int error, bool has_credentials);

}  // namespace gatehouse::health
