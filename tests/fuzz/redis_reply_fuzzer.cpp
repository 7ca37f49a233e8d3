// A reply is the same whatever follows it, and no beginning of it is one.
#include "filters/rate_redis_reply.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  RedisReply reply;
  const auto whole = parse_redis_reply(bytes, reply);
  if (!whole || *whole == 0) return 0;
  if (*whole > size || reply.count > RedisReply::kMostIntegers) std::abort();
  for (std::size_t given = 0; given < *whole; ++given) {
    const auto part = parse_redis_reply(bytes.substr(0, given), reply);
    if (!part || *part != 0) std::abort();
  }
  const auto alone = parse_redis_reply(bytes.substr(0, *whole), reply);
  if (!alone || *alone != *whole) std::abort();
  return 0;
}
