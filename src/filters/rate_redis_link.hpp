// One worker's connection to one Redis. Questions of all requests share it: they are written as they come, in as few
// system calls as that allows, and answered in their order.
//
// The connection is made, watched and made again (after a pause that grows to five seconds) by a coroutine of its own,
// which starts with the first question; a request never pays for connecting, and while Redis is known to be away it is
// told so at once. Owned by the worker's filters; one thread. What coroutines and link share lives until both are gone,
// so that a link may go at any time, also after its io_context.
#pragma once

#include "filters/rate_redis_script.hpp"
#include "filters/rate_redis_url.hpp"

#include <gatehouse/message.hpp>

#include <functional>
#include <memory>

namespace gatehouse {

class RedisLink {
 public:
  struct Settings {
    RedisAddress address;
    std::string ca_file;  // empty: the system's certificates
    std::chrono::milliseconds connect_timeout{1000};
    std::size_t max_waiting = 4096;  // questions without an answer
    bool operator==(const Settings&) const = default;
  };
  // Told once when Redis goes away, and once when it is back. The text holds no secret.
  using OnEvent = std::function<void(const std::string& what)>;

  RedisLink(Settings settings, OnEvent on_event);
  ~RedisLink();
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  // Asks and fills in `answers`, which has the size of `asks`. timeout: no answer by then (it may still have been
  // counted); unreachable, closed: no connection; exhausted: too many are waiting; malformed: Redis answered with an
  // error.
  awaitable<error_code> ask(std::span<const RateRedisAsk> asks, std::span<RateRedisAnswer> answers, RateTime deadline);

  // False while it is known that there is no connection.
  bool may_answer() const noexcept;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace gatehouse
