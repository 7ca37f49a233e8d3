#include "health/mysql_prober.hpp"

#include "health/mysql_protocol.hpp"

namespace gatehouse::health {
namespace {

struct Packet {
  unsigned char sequence = 0;
  std::string payload;
  unsigned char kind() const noexcept { return payload.empty() ? 0xff : static_cast<unsigned char>(payload[0]); }
};

constexpr unsigned char kOk = 0x00;
constexpr unsigned char kMore = 0x01;
constexpr unsigned char kSwitch = 0xfe;
constexpr int kSteps = 4;  // greeting, another plugin, "more", OK

// The next packet; what follows it stays in `bytes`.
awaitable<result<Packet>> read_packet(net::Stream& stream, std::string& bytes, net::Clock::time_point until) {
  for (;;) {
    if (bytes.size() >= kMysqlHeader) {
      const std::size_t length = mysql_length(bytes);
      if (length == 0 || length > kMysqlPacket) co_return make_error_code(errc::malformed);
      if (bytes.size() >= kMysqlHeader + length) {
        Packet packet;
        packet.sequence = static_cast<unsigned char>(bytes[3]);
        packet.payload = bytes.substr(kMysqlHeader, length);
        bytes.erase(0, kMysqlHeader + length);
        co_return packet;
      }
    }
    const error_code error = co_await receive(stream, bytes, 2 * kMysqlPacket, until);
    if (error) co_return error;
  }
}

unsigned char next(unsigned char sequence) noexcept { return static_cast<unsigned char>(sequence + 1); }

}  // namespace

MysqlProber::MysqlProber(boost::asio::io_context& io, net::TimerWheel& wheel, Place place, std::string user,
                         std::string password)
    : dialer_(io, wheel, std::move(place)), user_(std::move(user)), password_(std::move(password)) {}

awaitable<std::string> MysqlProber::probe(net::Clock::time_point deadline) {
  const auto stream = co_await dialer_.connect(deadline);
  if (!stream) co_return explain(stream.error());
  std::string problem = co_await log_in(**stream, deadline);
  co_return problem;
}

awaitable<std::string> MysqlProber::log_in(net::Stream& stream, net::Clock::time_point until) {
  std::string bytes;
  const auto first = co_await read_packet(stream, bytes, until);
  if (!first) co_return explain(first.error());
  if (const int code = mysql_error(first->payload); code != 0) co_return explain_mysql_error(code, !user_.empty());
  const auto greeting = read_mysql_greeting(first->payload);
  if (!greeting) co_return explain(errc::malformed);

  // A plugin that is not known here gets an empty proof. Then a refusal says nothing about the password.
  auto proof = mysql_proof(greeting->plugin, password_, greeting->nonce);
  bool proven = proof.has_value();
  std::string answer = mysql_login(user_, greeting->plugin, proof.value_or(std::string()));
  std::string packet = mysql_packet(answer, next(first->sequence));
  for (int step = 0; step < kSteps; ++step) {
    const error_code error = co_await send(stream, packet, until);
    if (error) co_return explain(error);
    auto reply = co_await read_packet(stream, bytes, until);
    // The second half of "more" is another packet, which nothing has to be sent for.
    if (reply && reply->kind() == kMore && reply->payload == "\x01\x03")
      reply = co_await read_packet(stream, bytes, until);
    if (!reply) co_return explain(reply.error());
    if (const int code = mysql_error(reply->payload); code != 0)
      co_return explain_mysql_error(code, proven && !user_.empty());
    if (reply->kind() == kOk) {
      const std::string quit = mysql_packet("\x01", 0);
      static_cast<void>(co_await send(stream, quit, until));
      co_return std::string();
    }
    // caching_sha2_password has not seen this user since the server started and wants the password itself, which does
    // not go over the wire without TLS. The server is there and judges logins.
    if (reply->kind() == kMore) co_return std::string();
    const auto wanted = read_mysql_switch(reply->payload);
    if (!wanted || reply->kind() != kSwitch) co_return explain(errc::malformed);
    proof = mysql_proof(wanted->plugin, password_, wanted->nonce);
    proven = proof.has_value();
    packet = mysql_packet(proof.value_or(std::string()), next(reply->sequence));
  }
  co_return explain(errc::malformed);
}

}  // namespace gatehouse::health
