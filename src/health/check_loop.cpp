#include "health/check_loop.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>

namespace gatehouse::health {
namespace {

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::chrono::milliseconds kShortestPause{50};

// A tenth of jitter keeps many sidecars from asking at the same moment.
std::chrono::milliseconds jittered(std::chrono::milliseconds base) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const auto tenth = std::max<std::chrono::milliseconds::rep>(base.count() / 10, 1);
  return base - std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(random()) % tenth);
}

}  // namespace

CheckLoop::CheckLoop(boost::asio::io_context& io, std::unique_ptr<Prober> prober, const gatehouse::Probe& times,
                     observe::HealthBoard& board, std::size_t check, OnChange on_change)
    : prober_(std::move(prober)),
      times_(times),
      board_(board),
      check_(check),
      on_change_(std::move(on_change)),
      timer_(io),
      verdict_(times.rise, times.fall) {}

awaitable<void> CheckLoop::run() {
  while (!stopped_) {
    const auto began = net::Clock::now();
    const std::string error = co_await ask();
    if (stopped_) co_return;
    const bool healthy = verdict_.take(error.empty());
    // One bad answer of a healthy service changes nothing yet, and is no reason to say that it failed.
    if (board_.report(check_, healthy, net::Clock::now() - began, error)) on_change_(healthy, error);
    if (stopped_) co_return;
    timer_.expires_at(std::max(began + pause(), net::Clock::now() + kShortestPause));
    co_await timer_.async_wait(use_result);
  }
}

// A bug in one prober must not leave its last verdict standing for ever.
awaitable<std::string> CheckLoop::ask() {
  std::string error;
  try {
    error = co_await prober_->probe(net::Clock::now() + times_.timeout);
  } catch (const std::exception&) {
    error = "could not be asked";
  }
  co_return error;
}

void CheckLoop::stop() {
  stopped_ = true;
  timer_.cancel();
}

std::chrono::milliseconds CheckLoop::pause() {
  return verdict_.ever_healthy() ? jittered(times_.interval) : jittered(times_.interval / 5);
}

}  // namespace gatehouse::health
