// Well when it answers PING, after AUTH where there is a password. Of an answer at most one line of 512 bytes is read.
// Thread: the io_context's.
#pragma once

#include "health/dialer.hpp"
#include "health/prober.hpp"

#include <string_view>

namespace gatehouse::health {

class RedisProber final : public Prober {
 public:
  // No password: no AUTH.
  RedisProber(boost::asio::io_context& io, net::TimerWheel& wheel, Place place, std::string user, std::string password);
  awaitable<std::string> probe(net::Clock::time_point deadline) override;

 private:
  Dialer dialer_;
  std::string user_;
  std::string password_;
};

// One command as RESP has it.
std::string redis_command(std::initializer_list<std::string_view> words);
// What is wrong with a reply line (without its CRLF), or an empty text. Nothing of what the server wrote is repeated
// but a known error code.
std::string judge_redis_reply(std::string_view line, std::string_view wanted);

}  // namespace gatehouse::health
