// One worker: its thread, its listeners, and everything its sessions use. Built on the main thread, then runs alone until it has
// drained.
#pragma once

#include "net/listener.hpp"
#include "proxy/forward.hpp"
#include "proxy/recorder.hpp"
#include "proxy/worker_state.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace gatehouse {

class Worker {
 public:
  Worker(proxy::SharedState& shared, proxy::ServingSettings settings);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  proxy::WorkerState& state() noexcept { return state_; }
  // What answers on this worker's listeners; lives as long as the worker.
  void set_router(std::unique_ptr<proxy::Router> router) { router_ = std::move(router); }
  const proxy::Router* router() const noexcept { return router_.get(); }
  void add_terminal(std::unique_ptr<Terminal> terminal) { terminals_.push_back(std::move(terminal)); }
  void set_recorder(std::unique_ptr<proxy::Recorder> recorder);
  // Takes over the bound socket.
  void add_listener(int descriptor, proxy::ListenerState listener);

  // Starts a thread that runs the worker.
  void start();
  // Runs it on this thread instead, until stopped.
  void run();
  // From any thread: no connection is accepted from now on, requests in flight have until `deadline`, then the worker ends.
  void drain(std::chrono::milliseconds deadline);
  // From any thread: ends now.
  void stop();
  void join();

  // Milliseconds since the worker turned over last. Any thread.
  std::chrono::milliseconds silence() const noexcept;

 private:
  void beat();
  void finish();

  proxy::WorkerState state_;
  std::vector<std::unique_ptr<Terminal>> terminals_;
  std::unique_ptr<proxy::Router> router_;
  std::unique_ptr<proxy::Recorder> recorder_;
  std::vector<std::unique_ptr<proxy::ListenerState>> listener_states_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  boost::asio::steady_timer heartbeat_;
  boost::asio::steady_timer drain_timer_;
  std::atomic<std::int64_t> last_beat_;
  std::thread thread_;
};

}  // namespace gatehouse
