#include "redis/protocol.hpp"

#include <hiredis/hiredis.h>
#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <new>

namespace gatehouse {
namespace {

constexpr std::size_t kLongestErrorCode = 32;

// What the callbacks return is never looked at but for null, which ends the reading. They fill in the one reply that the reader belongs to; it
// has room for all that they accept, so that nothing is thrown through hiredis.
RedisReply& reply_of(const redisReadTask* task) noexcept { return *static_cast<RedisReply*>(task->privdata); }

RedisReply& begin(const redisReadTask* task, RedisReply::Kind kind) noexcept {
  RedisReply& reply = reply_of(task);
  reply.kind = kind;
  reply.text.clear();
  reply.count = 0;
  return reply;
}

void* take_text(const redisReadTask* task, char* text, std::size_t size) noexcept {
  const bool known =
      task->type == REDIS_REPLY_STATUS || task->type == REDIS_REPLY_STRING || task->type == REDIS_REPLY_ERROR;
  if (!known || task->parent != nullptr || size > RedisReply::kMostText) return nullptr;
  RedisReply& reply =
      begin(task, task->type == REDIS_REPLY_ERROR ? RedisReply::Kind::kError : RedisReply::Kind::kText);
  reply.text.assign(text, size);
  return &reply;
}

void* take_integer(const redisReadTask* task, long long value) noexcept {
  RedisReply& reply = task->parent == nullptr ? begin(task, RedisReply::Kind::kIntegers) : reply_of(task);
  if (reply.count == reply.integers.size()) return nullptr;
  reply.integers[reply.count++] = value;
  return &reply;
}

// The number of elements is an int in hiredis 0.14 and a size_t in 1.x, which also knows more kinds of replies.
template <class Functions>
Functions callbacks() noexcept {
  Functions made{};
  made.createString = take_text;
  made.createArray = [](const redisReadTask* task, auto elements) -> void* {
    const bool flat = task->type == REDIS_REPLY_ARRAY && task->parent == nullptr;
    if (!flat || static_cast<std::size_t>(elements) > RedisReply::kMostIntegers) return nullptr;
    return &begin(task, RedisReply::Kind::kIntegers);
  };
  made.createInteger = take_integer;
  made.createNil = [](const redisReadTask*) noexcept -> void* { return nullptr; };
  if constexpr (requires { made.createDouble; made.createBool; }) {
    made.createDouble = [](const redisReadTask*, double, char*, std::size_t) noexcept -> void* { return nullptr; };
    made.createBool = [](const redisReadTask*, int) noexcept -> void* { return nullptr; };
  }
  made.freeObject = [](void*) noexcept {};
  return made;
}

}  // namespace

std::string_view RedisReply::error_code() const noexcept {
  const auto code = std::string_view(text).substr(0, text.find(' '));
  const bool capitals = std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return capitals && !code.empty() && code.size() <= kLongestErrorCode ? code : "an error";
}

RedisReplies::RedisReplies() : reader_(nullptr, &::redisReaderFree) {
  static auto functions = callbacks<redisReplyObjectFunctions>();
  reply_.text.reserve(RedisReply::kMostText);
  reader_.reset(::redisReaderCreateWithFunctions(&functions));
  if (reader_ == nullptr) throw std::bad_alloc();
  reader_->privdata = &reply_;
  reader_->maxbuf = kMostUnread;  // an empty buffer that is larger is given back
}

RedisReplies::~RedisReplies() = default;

error_code RedisReplies::feed(std::string_view bytes) {
  if (::redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) return errc::malformed;
  return {};
}

result<const RedisReply*> RedisReplies::next() {
  void* complete = nullptr;
  if (::redisReaderGetReply(reader_.get(), &complete) != REDIS_OK) return make_error_code(errc::malformed);
  if (complete == nullptr && reader_->len - reader_->pos > kMostUnread) return make_error_code(errc::too_large);
  return static_cast<const RedisReply*>(complete);
}

void append_redis_command(std::string& to, std::span<const std::string_view> words) {
  boost::container::small_vector<const char*, 32> starts;
  boost::container::small_vector<std::size_t, 32> sizes;
  for (const auto word : words) {
    starts.push_back(word.empty() ? "" : word.data());
    sizes.push_back(word.size());
  }
  char* command = nullptr;
  const auto size =
      ::redisFormatCommandArgv(&command, static_cast<int>(words.size()), starts.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  const std::unique_ptr<char, void (*)(char*)> owned(command, &::redisFreeCommand);
  to.append(command, static_cast<std::size_t>(size));
}

}  // namespace gatehouse
