#include "app/worker.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace gatehouse {
namespace {

constexpr std::chrono::seconds kBeat{1};
constexpr std::chrono::seconds kLastMoment{1};  // for cancelled sessions to leave in order
// For the first bytes of those who have connected, which are on the way.
constexpr std::chrono::milliseconds kFirstBytes{100};

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(net::Clock::now().time_since_epoch()).count();
}

// A listener that a reload took away lives until its loop has noticed.
boost::asio::awaitable<void> accept_on(std::shared_ptr<net::Listener> listener) { co_await listener->run(); }

}  // namespace

Worker::Worker(proxy::SharedState& shared)
    : state_(shared), heartbeat_(state_.io), drain_timer_(state_.io), closing_timer_(state_.io), last_beat_(now_ms()) {
  work_.emplace(state_.io.get_executor());
}

Worker::~Worker() { join(); }

void Worker::record_to(LogQueue& queue) {
  recorder_ = std::make_unique<proxy::Recorder>(state_.io, queue);
  state_.on_finished = [this](const proxy::ProxyExchange& exchange) { recorder_->finished(exchange); };
}

void Worker::apply(std::shared_ptr<proxy::Snapshot> snapshot, std::vector<ListenerPlan> listeners, std::function<void()> done) {
  // In the queue of a worker that does not run yet, it waits until it does.
  boost::asio::post(state_.io, [this, snapshot = std::move(snapshot), plans = std::move(listeners), done = std::move(done)]() mutable {
    if (snapshot) state_.snapshot = std::move(snapshot);
    if (state_.snapshot && state_.snapshot->pools) state_.snapshot->pools->begin_use();
    std::map<std::string, Listening> before = std::exchange(listeners_, {});
    for (ListenerPlan& plan : plans) {
      Listening& listening = listeners_[plan.name];
      if (auto old = before.extract(plan.name)) listening = std::move(old.mapped());
      if (!listening.state) listening.state = std::make_shared<proxy::ListenerState>();
      *listening.state = std::move(plan.state);
      for (const int descriptor : plan.descriptors) listen(listening, descriptor);
    }
    for (auto& [name, gone] : before)
      for (const auto& socket : gone.sockets) socket->close();
    if (done) done();
  });
}

void Worker::listen(Listening& listening, int descriptor) {
  auto socket = std::make_shared<net::Listener>(
      state_.io, descriptor, [this, state = listening.state](int accepted, const net::Endpoint& peer) { state_.serve(state, accepted, peer); },
      [this](const char* reason) {
        state_.metrics.accept_failures.add();
        if (state_.on_warning) state_.on_warning(std::string("cannot accept connections for a moment: ") + reason);
      });
  listening.sockets.push_back(socket);
  state_.tasks.spawn(accept_on(std::move(socket)));
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::run() {
  beat();
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

template <class Do>
void Worker::for_each_listener(Do&& act) {
  for (const auto& [name, listening] : listeners_)
    for (const auto& socket : listening.sockets) act(*socket);
}

void Worker::copy_sockets(std::function<void(std::vector<net::Descriptor>)> done) {
  boost::asio::post(state_.io, [this, done = std::move(done)] {
    std::vector<net::Descriptor> copies;
    for_each_listener([&copies](net::Listener& listener) { copies.push_back(listener.copy()); });
    done(std::move(copies));
  });
}

void Worker::close_idle() {
  boost::asio::post(state_.io, [this] { state_.close_idle_sessions(); });
}

void Worker::expect_drain() {
  boost::asio::post(state_.io, [this] {
    for_each_listener([](net::Listener& listener) { listener.hand_over_at_once(); });
    first_bytes_until_ = net::Clock::now() + kFirstBytes;
  });
}

void Worker::drain(std::chrono::milliseconds deadline) {
  boost::asio::post(state_.io, [this, deadline] {
    closing_timer_.expires_at(std::min(first_bytes_until_, net::Clock::now() + deadline));
    closing_timer_.async_wait([this](const boost::system::error_code&) { for_each_listener([](net::Listener& listener) { listener.close(); }); });
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
  if (state_.snapshot && state_.snapshot->pools) state_.snapshot->pools->close_idle();
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
