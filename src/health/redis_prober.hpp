// Well when it answers PING, after AUTH where there is a password. What is read of an answer is bounded by redis/protocol.hpp.
// Thread: the io_context's.
#pragma once

#include "health/dialer.hpp"
#include "health/prober.hpp"
#include "redis/protocol.hpp"

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

// What is wrong with a reply, or an empty text. Nothing of what the server wrote is repeated.
std::string judge_redis_reply(const RedisReply& reply, std::string_view wanted);

}  // namespace gatehouse::health
