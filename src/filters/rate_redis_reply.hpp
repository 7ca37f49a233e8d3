// Reads what Redis answers (RESP 2), as far as a rate limit asks for it: simple texts, errors, integers, bulk texts and
// flat lists of integers. Anything else, and anything large, is malformed: the bound on memory is the caller's buffer.
#pragma once

#include <gatehouse/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatehouse {

struct RedisReply {
  enum class Kind : std::uint8_t { kText, kError, kIntegers };
  static constexpr std::size_t kMostIntegers = 64;

  Kind kind = Kind::kText;
  std::string_view text;  // part of the bytes given; of an error only its code, since the rest may repeat what was sent
  std::array<std::int64_t, kMostIntegers> integers{};
  std::size_t count = 0;
};

// The reply at the beginning of `bytes` and its size; 0: more bytes are needed.
result<std::size_t> parse_redis_reply(std::string_view bytes, RedisReply& reply) noexcept;

}  // namespace gatehouse
