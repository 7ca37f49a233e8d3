// One worker: its thread, its listeners, and everything its sessions use. Built on the main thread, then runs alone until it has
// drained; what a configuration changes is handed to it whole.
#pragma once

#include "net/descriptor.hpp"
#include "net/listener.hpp"
#include "proxy/recorder.hpp"
#include "proxy/worker_state.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace gatehouse {

// One listener as a configuration wants it on one worker.
struct ListenerPlan {
  std::string name;             // its address as configured: the same name is the same listener
  std::vector<int> descriptors;  // bound sockets that the worker takes over; none where it listens already
  proxy::ListenerState state;
};

class Worker {
 public:
  explicit Worker(proxy::SharedState& shared);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  proxy::WorkerState& state() noexcept { return state_; }
  // Before the worker runs: requests are written down and counted.
  void record_to(LogQueue& queue);

  // From any thread, also before the worker runs: serves by `snapshot` (null: as before) from the next request on, on these listeners and no others. A
  // listener that is not among them stops listening, its connections live on. Calls `done` on the worker's thread.
  void apply(std::shared_ptr<proxy::Snapshot> snapshot, std::vector<ListenerPlan> listeners, std::function<void()> done = {});

  // From any thread: calls `done` on the worker's thread with copies of the sockets it listens on.
  void copy_sockets(std::function<void(std::vector<net::Descriptor>)> done);

  // Starts a thread that runs the worker.
  void start();
  // Runs it on this thread instead, until stopped.
  void run();
  // From any thread: connections that wait for a request are closed, the others after their answer; upgraded ones are told to go.
  // Accepting goes on.
  void close_idle();
  // From any thread: connections are accepted before they have said anything, for drain() follows and would turn them away. Not where the
  // sockets go on in another process.
  void expect_drain();
  // From any thread: no connection is accepted from now on, or from a tenth of a second after expect_drain(); requests in flight have until
  // `deadline`, then the worker ends.
  void drain(std::chrono::milliseconds deadline);
  // From any thread: ends now.
  void stop();
  void join();

  // Milliseconds since the worker turned over last. Any thread.
  std::chrono::milliseconds silence() const noexcept;

 private:
  struct Listening {
    std::shared_ptr<proxy::ListenerState> state;
    std::vector<std::shared_ptr<net::Listener>> sockets;
  };
  void listen(Listening& listening, int descriptor);
  template <class Do>
  void for_each_listener(Do&& act);
  void beat();
  void finish();

  proxy::WorkerState state_;
  std::unique_ptr<proxy::Recorder> recorder_;
  std::map<std::string, Listening> listeners_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  boost::asio::steady_timer heartbeat_;
  boost::asio::steady_timer drain_timer_;
  boost::asio::steady_timer closing_timer_;  // until listening ends
  net::Clock::time_point first_bytes_until_;
  std::atomic<std::int64_t> last_beat_;
  std::thread thread_;
};

}  // namespace gatehouse
