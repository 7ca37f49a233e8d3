#include "upstream/prober.hpp"

#include "http/h1_parser.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>

namespace gatehouse::upstream {

using boost::asio::awaitable;

namespace {

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::size_t kHeadBytes = 16384;

std::string explain(const error_code& error) {
  if (error == errc::unreachable) return "does not accept connections";
  if (error == errc::timeout) return "did not answer in time";
  if (error == errc::unresolved) return "its name does not resolve";
  return error.message();
}

}  // namespace

Prober::Prober(boost::asio::io_context& io, std::unique_ptr<Cluster> cluster, ProberSettings settings,
               observe::HealthBoard& board, std::size_t check, OnChange on_change)
    : io_(io), cluster_(std::move(cluster)), settings_(std::move(settings)), board_(board), check_(check),
      on_change_(std::move(on_change)), timer_(io), verdict_(settings_.rise, settings_.fall) {}

awaitable<void> Prober::run() {
  std::minstd_rand jitter(std::random_device{}());
  while (!stopped_) {
    const auto began = net::Clock::now();
    std::string error = co_await probe();
    if (stopped_) co_return;
    judge(std::move(error), net::Clock::now() - began);
    if (stopped_) co_return;
    // A tenth of jitter keeps many sidecars from asking at the same moment.
    const auto base = verdict_.ever_healthy() ? settings_.interval : std::max(settings_.interval / 5, std::chrono::milliseconds(50));
    const auto tenth = std::max<std::chrono::milliseconds::rep>(base.count() / 10, 1);
    timer_.expires_at(began + base + std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(jitter()) % tenth));
    co_await timer_.async_wait(use_result);
  }
}

void Prober::stop() {
  stopped_ = true;
  timer_.cancel();
}

// Empty when the app is well, else what is wrong.
awaitable<std::string> Prober::probe() {
  const auto until = net::Clock::now() + settings_.timeout;
  auto connection = co_await cluster_->connect();
  if (!connection) co_return explain(connection.error());
  if (settings_.path.empty()) {
    cluster_->discard(std::move(*connection));
    co_return std::string();
  }
  net::Stream& stream = (*connection)->stream;
  std::string request = "GET " + settings_.path + " HTTP/1.1\r\nhost: " + cluster_->settings().authority +
                        "\r\nuser-agent: gatehouse-health\r\naccept: */*\r\nconnection: close\r\n\r\n";
  iovec part{request.data(), request.size()};
  error_code error = co_await stream.write_all({&part, 1}, settings_.timeout);
  std::string head;
  http::HeadScanner scanner(http::Side::kResponse);
  const http::HeadLimits limits;
  int status = 0;
  while (!error && status == 0) {
    char bytes[2048];
    const net::IoResult got = stream.try_read(bytes);
    if (got.status == net::IoStatus::kWouldBlock) {
      stream.set_deadline(until);
      error = co_await stream.wait(got.want);
      continue;
    }
    if (got.status != net::IoStatus::kDone) {
      error = errc::closed;
      break;
    }
    head.append(bytes, got.bytes);
    const auto found = scanner.scan(head, limits);
    if (found.error || head.size() > kHeadBytes) error = errc::malformed;
    if (!found.complete) continue;
    Arena arena(2048);
    Response response(arena);
    http::ResponseHead parsed;
    if (http::parse_response_head(std::string_view(head).substr(0, found.end), limits, Method::kGet, response, parsed))
      error = errc::malformed;
    status = response.status;
  }
  cluster_->discard(std::move(*connection));
  if (error) co_return explain(error);
  const bool expected = std::any_of(settings_.expected.begin(), settings_.expected.end(),
                                    [status](const auto& range) { return status >= range.first && status <= range.second; });
  if (!expected) co_return "answered " + std::to_string(status);
  co_return std::string();
}

void Prober::judge(std::string error, std::chrono::nanoseconds latency) {
  const bool good = error.empty();
  const bool healthy = verdict_.take(good);
  // One bad answer of a healthy app changes nothing yet, but is no reason to report a good one.
  if (board_.report(check_, healthy, latency, error)) on_change_(healthy, error);
  if (on_answer_) on_answer_(healthy, good, error);
}

}  // namespace gatehouse::upstream
