#include "health/openapi_reader.hpp"

#include "health/http_fetch.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

namespace gatehouse::health {
namespace {

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::chrono::milliseconds kSoon{2000};  // while the app starts
constexpr std::chrono::seconds kTimeout{10};

}  // namespace

OpenApiReader::OpenApiReader(boost::asio::io_context& io, net::TimerWheel& wheel, Place app, OpenApiSettings settings, Take take,
                             OnChange on_change)
    : dialer_(io, wheel, std::move(app)),
      settings_(std::move(settings)),
      take_(std::move(take)),
      on_change_(std::move(on_change)),
      timer_(io) {}

net::awaitable<void> OpenApiReader::run() {
  std::optional<bool> was_good;
  while (!stopped_) {
    const std::string error = co_await ask();
    if (stopped_) co_return;
    const bool good = error.empty();
    if (was_good != good) on_change_(good, error);
    was_good = good;
    timer_.expires_after(good ? settings_.interval : std::min(settings_.interval, kSoon));
    co_await timer_.async_wait(use_result);
  }
}

void OpenApiReader::stop() {
  stopped_ = true;
  timer_.cancel();
}

// Empty when there is a usable document, else what is wrong.
net::awaitable<std::string> OpenApiReader::ask() {
  const auto until = net::Clock::now() + kTimeout;
  const auto stream = co_await dialer_.connect(until);
  if (!stream) co_return explain(stream.error());
  auto answer = co_await http_get(**stream, settings_.path, settings_.authority, settings_.most_bytes, until);
  if (!answer) {
    if (answer.error() == errc::too_large) co_return "the document is too large";
    co_return explain(answer.error());
  }
  if (answer->status != 200) co_return "answered " + std::to_string(answer->status);
  if (answer->body == last_) co_return std::string();
  if (!take_(answer->body)) co_return "what it answered is no OpenAPI document";
  last_ = std::move(answer->body);
  co_return std::string();
}

}  // namespace gatehouse::health
