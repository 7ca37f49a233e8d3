#include "health/http_prober.hpp"

#include "health/http_fetch.hpp"

#include <algorithm>

namespace gatehouse::health {

HttpProber::HttpProber(boost::asio::io_context& io, net::TimerWheel& wheel, Place place, HttpQuestion question)
    : dialer_(io, wheel, std::move(place)), question_(std::move(question)) {}

awaitable<std::string> HttpProber::probe(net::Clock::time_point deadline) {
  const auto stream = co_await dialer_.connect(deadline);
  if (!stream) co_return explain(stream.error());
  const auto answer = co_await http_get(**stream, question_.target, question_.authority, 0, deadline);
  if (!answer) co_return explain(answer.error());
  co_return judge_status(answer->status, question_.expected);
}

std::string judge_status(int status, const std::vector<std::pair<int, int>>& expected) {
  const bool good = std::any_of(expected.begin(), expected.end(), [status](const auto& range) {
    return status >= range.first && status <= range.second;
  });
  return good ? std::string() : "answered " + std::to_string(status);
}

}  // namespace gatehouse::health
