#include "health/redis_prober.hpp"

#include <algorithm>

namespace gatehouse::health {
namespace {

constexpr std::size_t kLineBytes = 512;

// The next line without its CRLF; what follows it stays in `bytes`.
awaitable<result<std::string>> read_line(net::Stream& stream, std::string& bytes, net::Clock::time_point until) {
  for (;;) {
    const std::size_t end = bytes.find("\r\n");
    if (end != std::string::npos) {
      std::string line = bytes.substr(0, end);
      bytes.erase(0, end + 2);
      co_return line;
    }
    const error_code error = co_await receive(stream, bytes, kLineBytes, until);
    if (error) co_return error;
  }
}

awaitable<std::string> ask(net::Stream& stream, std::string command, std::string_view wanted,
                           net::Clock::time_point until) {
  std::string bytes;
  const error_code error = co_await send(stream, command, until);
  if (error) co_return explain(error);
  const auto line = co_await read_line(stream, bytes, until);
  if (!line) co_return explain(line.error());
  co_return judge_redis_reply(*line, wanted);
}

}  // namespace

RedisProber::RedisProber(boost::asio::io_context& io, net::TimerWheel& wheel, Place place, std::string user,
                         std::string password)
    : dialer_(io, wheel, std::move(place)), user_(std::move(user)), password_(std::move(password)) {}

awaitable<std::string> RedisProber::probe(net::Clock::time_point deadline) {
  const auto stream = co_await dialer_.connect(deadline);
  if (!stream) co_return explain(stream.error());
  if (!password_.empty()) {
    // Redis before 6 knows no users.
    std::string login = user_.empty() ? redis_command({"AUTH", password_}) : redis_command({"AUTH", user_, password_});
    std::string problem = co_await ask(**stream, std::move(login), "+OK", deadline);
    if (!problem.empty()) co_return problem;
  }
  std::string ping = redis_command({"PING"});
  std::string problem = co_await ask(**stream, std::move(ping), "+PONG", deadline);
  co_return problem;
}

std::string redis_command(std::initializer_list<std::string_view> words) {
  std::string command = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    command += "$" + std::to_string(word.size()) + "\r\n";
    command += word;
    command += "\r\n";
  }
  return command;
}

std::string judge_redis_reply(std::string_view line, std::string_view wanted) {
  if (line == wanted) return {};
  if (!line.starts_with('-')) return "answered in another protocol";
  const std::string_view code = line.substr(1, line.find(' ') - 1);
  if (code == "NOAUTH") return "asks for a password";
  if (code == "WRONGPASS" || line.find("invalid password") != std::string_view::npos) return "refuses the credentials";
  if (line.find("without any password configured") != std::string_view::npos)
    return "knows no password, but the URL has one";
  if (code == "NOPERM") return "does not allow this user to PING";
  if (code == "LOADING") return "is loading its data";
  if (code == "BUSY") return "is busy with a script";
  if (code == "MASTERDOWN") return "has lost its primary";
  if (code == "MISCONF") return "cannot save its data and refuses commands";
  if (line.find("max number of clients") != std::string_view::npos) return "has no connection left";
  return "answered with an error";
}

}  // namespace gatehouse::health
