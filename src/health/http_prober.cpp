#include "health/http_prober.hpp"

#include "http/h1_parser.hpp"

#include <algorithm>

namespace gatehouse::health {
namespace {

constexpr std::size_t kHeadBytes = 16384;

// The status of a complete head; zero while more is to come.
result<int> status_of(http::HeadScanner& scanner, std::string_view bytes) {
  const http::HeadLimits limits;
  const auto found = scanner.scan(bytes, limits);
  if (found.error) return make_error_code(errc::malformed);
  if (!found.complete) return 0;
  Arena arena(2048);
  Response response(arena);
  http::ResponseHead parsed;
  if (http::parse_response_head(bytes.substr(0, found.end), limits, Method::kGet, response, parsed))
    return make_error_code(errc::malformed);
  return response.status;
}

awaitable<result<int>> read_status(net::Stream& stream, net::Clock::time_point until) {
  std::string head;
  http::HeadScanner scanner(http::Side::kResponse);
  for (;;) {
    const error_code error = co_await receive(stream, head, kHeadBytes, until);
    if (error) co_return error;
    const auto status = status_of(scanner, head);
    if (!status || *status != 0) co_return status;
  }
}

}  // namespace

HttpProber::HttpProber(boost::asio::io_context& io, net::TimerWheel& wheel, Place place, HttpQuestion question)
    : dialer_(io, wheel, std::move(place)), question_(std::move(question)) {}

awaitable<std::string> HttpProber::probe(net::Clock::time_point deadline) {
  const auto stream = co_await dialer_.connect(deadline);
  if (!stream) co_return explain(stream.error());
  const std::string request = "GET " + question_.target + " HTTP/1.1\r\nhost: " + question_.authority +
                              "\r\nuser-agent: gatehouse-health\r\naccept: */*\r\nconnection: close\r\n\r\n";
  const error_code error = co_await send(**stream, request, deadline);
  if (error) co_return explain(error);
  const auto status = co_await read_status(**stream, deadline);
  if (!status) co_return explain(status.error());
  co_return judge_status(*status, question_.expected);
}

std::string judge_status(int status, const std::vector<std::pair<int, int>>& expected) {
  const bool good = std::any_of(expected.begin(), expected.end(), [status](const auto& range) {
    return status >= range.first && status <= range.second;
  });
  return good ? std::string() : "answered " + std::to_string(status);
}

}  // namespace gatehouse::health
