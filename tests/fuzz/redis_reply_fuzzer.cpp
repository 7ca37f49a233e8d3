// The same replies are read of bytes in one piece and byte by byte; none is larger than stated, and what is kept of an incomplete one is bounded.
#include "redis/protocol.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace {

using namespace gatehouse;

struct Read {
  std::vector<RedisReply> replies;
  error_code error;
};

Read read(std::string_view bytes, std::size_t piece) {
  RedisReplies replies;
  Read read;
  while (!bytes.empty() && !read.error) {
    const auto now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    read.error = replies.feed(now);
    while (!read.error) {
      const auto reply = replies.next();
      if (!reply) read.error = reply.error();
      if (!reply || *reply == nullptr) break;
      if ((*reply)->count > RedisReply::kMostIntegers || (*reply)->text.size() > RedisReply::kMostText) std::abort();
      if ((*reply)->error_code().empty()) std::abort();
      read.replies.push_back(**reply);
    }
  }
  return read;
}

bool same(const RedisReply& one, const RedisReply& other) {
  return one.kind == other.kind && one.text == other.text && one.count == other.count &&
         std::equal(one.integers.begin(), one.integers.begin() + static_cast<std::ptrdiff_t>(one.count),
                    other.integers.begin());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), std::min(size, RedisReplies::kMostUnread));
  const auto whole = read(bytes, bytes.size());
  const auto slow = read(bytes, 1);
  if (whole.error != slow.error) std::abort();
  if (!std::equal(whole.replies.begin(), whole.replies.end(), slow.replies.begin(), slow.replies.end(), same))
    std::abort();
  return 0;
}
