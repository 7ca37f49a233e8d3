#include "app/worker.hpp"

#include <boost/asio/post.hpp>

namespace gatehouse {
namespace {

constexpr std::chrono::seconds kBeat{1};
constexpr std::chrono::seconds kLastMoment{1};  // for cancelled sessions to leave in order

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(net::Clock::now().time_since_epoch()).count();
}

}  // namespace

Worker::Worker(proxy::SharedState& shared, proxy::ServingSettings settings)
    : state_(shared, std::move(settings)), heartbeat_(state_.io), drain_timer_(state_.io), last_beat_(now_ms()) {
  work_.emplace(state_.io.get_executor());
}

Worker::~Worker() { join(); }

void Worker::set_recorder(std::unique_ptr<proxy::Recorder> recorder) {
  recorder_ = std::move(recorder);
  state_.on_finished = [this](const proxy::ProxyExchange& exchange) { recorder_->finished(exchange); };
}

void Worker::add_listener(int descriptor, proxy::ListenerState listener) {
  listener_states_.push_back(std::make_unique<proxy::ListenerState>(std::move(listener)));
  const proxy::ListenerState& shared = *listener_states_.back();
  listeners_.push_back(std::make_unique<net::Listener>(
      state_.io, descriptor, [this, &shared](int socket, const net::Endpoint& peer) { state_.serve(shared, socket, peer); },
      [this](const char* reason) {
        state_.metrics.accept_failures.add();
        if (state_.on_warning) state_.on_warning(std::string("cannot accept connections for a moment: ") + reason);
      }));
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::run() {
  beat();
  for (const auto& listener : listeners_) state_.tasks.spawn(listener->run());
  state_.io.run();
}

void Worker::beat() {
  last_beat_.store(now_ms(), std::memory_order_relaxed);
  heartbeat_.expires_after(kBeat);
  heartbeat_.async_wait([this](const boost::system::error_code& error) {
    if (!error) beat();
  });
}

std::chrono::milliseconds Worker::silence() const noexcept {
  return std::chrono::milliseconds(now_ms() - last_beat_.load(std::memory_order_relaxed));
}

void Worker::drain(std::chrono::milliseconds deadline) {
  boost::asio::post(state_.io, [this, deadline] {
    for (const auto& listener : listeners_) listener->close();
    state_.close_idle_sessions();
    state_.tasks.when_empty([this] { finish(); });
    drain_timer_.expires_after(deadline);
    drain_timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      state_.cancel_sessions();
      drain_timer_.expires_after(kLastMoment);
      drain_timer_.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled) state_.io.stop();
      });
    });
  });
}

void Worker::finish() {
  drain_timer_.cancel();
  heartbeat_.cancel();
  if (state_.cluster) state_.cluster->close_idle();
  if (recorder_) recorder_->flush();
  work_.reset();
  // The wheel's and the recorder's timers may still tick; nothing is left for them to do.
  state_.io.stop();
}

void Worker::stop() { state_.io.stop(); }

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace gatehouse
