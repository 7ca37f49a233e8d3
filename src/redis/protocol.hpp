// Redis's protocol by hiredis: commands out, replies in. No sockets: the connection's owner sends and feeds.
//
// hiredis believes the lengths that a server announces. Here nothing is allocated for them: a reply is a short text, an error, an integer or a
// flat list of integers, and anything else is malformed as soon as its first line has come.
#pragma once

#include <gatehouse/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct redisReader;

namespace gatehouse {

struct RedisReply {
  enum class Kind : std::uint8_t { kText, kError, kIntegers };
  static constexpr std::size_t kMostText = 1024;
  static constexpr std::size_t kMostIntegers = 64;

  Kind kind = Kind::kText;
  std::string text;  // of an error all of it: it may repeat what was sent, see error_code()
  std::array<std::int64_t, kMostIntegers> integers{};
  std::size_t count = 0;

  // The code that an error begins with ("NOSCRIPT"); "an error" where what stands there does not look like one. May be logged.
  std::string_view error_code() const noexcept;
};

// Owned by one connection; that one's thread.
class RedisReplies {
 public:
  // A reply that is longer before it is complete is refused.
  static constexpr std::size_t kMostUnread = 4096;

  RedisReplies();
  ~RedisReplies();
  RedisReplies(const RedisReplies&) = delete;
  RedisReplies& operator=(const RedisReplies&) = delete;

  // Takes what came, when next() has no more; malformed after a mistake.
  error_code feed(std::string_view bytes);
  // The next reply, good until the next call of anything here; null: the rest of it has not come. too_large; malformed: nothing can be read any
  // more.
  result<const RedisReply*> next();

 private:
  RedisReply reply_;  // hiredis's callbacks fill it in
  std::unique_ptr<redisReader, void (*)(redisReader*)> reader_;
};

// Appends a command.
void append_redis_command(std::string& to, std::span<const std::string_view> words);

}  // namespace gatehouse
