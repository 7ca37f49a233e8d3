#include "health/redis_prober.hpp"

namespace gatehouse::health {
namespace {

constexpr std::size_t kPiece = 4096;

// The next reply; good until the next call.
awaitable<result<const RedisReply*>> read_reply(net::Stream& stream, RedisReplies& replies,
                                                net::Clock::time_point until) {
  std::string bytes;
  for (;;) {
    const auto reply = replies.next();
    if (!reply || *reply != nullptr) co_return reply;
    bytes.clear();
    error_code error = co_await receive(stream, bytes, kPiece, until);
    if (!error) error = replies.feed(bytes);
    if (error) co_return error;
  }
}

awaitable<std::string> ask(net::Stream& stream, RedisReplies& replies, std::string command, std::string_view wanted,
                           net::Clock::time_point until) {
  const error_code error = co_await send(stream, command, until);
  if (error) co_return explain(error);
  const auto reply = co_await read_reply(stream, replies, until);
  if (!reply) co_return explain(reply.error());
  co_return judge_redis_reply(**reply, wanted);
}

std::string command_of(std::initializer_list<std::string_view> words) {
  std::string command;
  append_redis_command(command, {words.begin(), words.size()});
  return command;
}

}  // namespace

RedisProber::RedisProber(boost::asio::io_context& io, net::TimerWheel& wheel, Place place, std::string user,
                         std::string password)
    : dialer_(io, wheel, std::move(place)), user_(std::move(user)), password_(std::move(password)) {}

awaitable<std::string> RedisProber::probe(net::Clock::time_point deadline) {
  const auto stream = co_await dialer_.connect(deadline);
  if (!stream) co_return explain(stream.error());
  RedisReplies replies;
  if (!password_.empty()) {
    // Redis before 6 knows no users.
    std::string login = user_.empty() ? command_of({"AUTH", password_}) : command_of({"AUTH", user_, password_});
    std::string problem = co_await ask(**stream, replies, std::move(login), "OK", deadline);
    if (!problem.empty()) co_return problem;
  }
  std::string ping = command_of({"PING"});
  std::string problem = co_await ask(**stream, replies, std::move(ping), "PONG", deadline);
  co_return problem;
}

std::string judge_redis_reply(const RedisReply& reply, std::string_view wanted) {
  if (reply.kind == RedisReply::Kind::kText && reply.text == wanted) return {};
  if (reply.kind != RedisReply::Kind::kError) return "answered in another protocol";
  const std::string_view code = reply.error_code();
  const auto says = [&reply](std::string_view words) { return reply.text.find(words) != std::string::npos; };
  if (code == "NOAUTH") return "asks for a password";
  if (code == "WRONGPASS" || says("invalid password")) return "refuses the credentials";
  if (says("without any password configured")) return "knows no password, but the URL has one";
  if (code == "NOPERM") return "does not allow this user to PING";
  if (code == "LOADING") return "is loading its data";
  if (code == "BUSY") return "is busy with a script";
  if (code == "MASTERDOWN") return "has lost its primary";
  if (code == "MISCONF") return "cannot save its data and refuses commands";
  if (says("max number of clients")) return "has no connection left";
  return "answered with an error";
}

}  // namespace gatehouse::health
