// Everything one worker owns and its sessions use, but for what the configuration says: that is in its snapshot. Built in app/ before
// the worker's thread starts; touched by that thread only, but for `shared` and the counters.
#pragma once

#include "http/h1_writer.hpp"
#include "net/buffer_pool.hpp"
#include "net/deadline.hpp"
#include "net/pipe_pool.hpp"
#include "net/task_group.hpp"
#include "net/tls_context.hpp"
#include "observe/metrics.hpp"
#include "proxy/address_limit.hpp"
#include "proxy/path_templates.hpp"
#include "proxy/snapshot.hpp"
#include "proxy/unnamed_proxy.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

namespace gatehouse::proxy {

class ProxyExchange;
class Session;
struct Scratch;

// How long a connection that has not said anything yet is waited for once the process is to end.
constexpr std::chrono::milliseconds kDrainPatience{1000};

// Shared by all workers of the process.
struct SharedState {
  std::atomic<std::int64_t> connections{0};
  std::atomic<std::int64_t> connection_limit{10000};
  std::atomic<bool> draining{false};
  AddressLimit addresses;
  observe::SeriesBudget series;
  UnnamedProxy unnamed_proxy;
};

// What the sessions of one listener have in common. A reload puts new values here; a session keeps it, also when the listener is gone.
struct ListenerState {
  std::shared_ptr<const net::TlsContext> tls;  // null: plain
  bool redirect_to_https = false;
  bool proxy_protocol = false;  // every connection begins with a PROXY header
  std::uint16_t https_port = 0;  // where the redirect leads when the client named a port
  bool counts = true;            // false: the admin listener, which no limit of the public ones may block
};

struct WorkerState {
  explicit WorkerState(SharedState& shared_state);
  ~WorkerState();

  SharedState& shared;
  // What the next request is served by; never null while the worker runs.
  std::shared_ptr<Snapshot> snapshot;
  bool leaving = false;  // the process ends keep-alive, or has done so
  // Called once for each request when it is over, in whatever way.
  std::function<void(const ProxyExchange&)> on_finished;
  boost::asio::io_context io{1};
  net::TimerWheel wheel{io};
  net::TaskGroup tasks;
  net::BufferPool small_buffers{4096, 1024};
  net::BufferPool head_buffers{0, 32};  // as large as the limits on heads want them
  net::BufferPool large_buffers{65536, 32};
  net::PipePool pipes{64};
  observe::WorkerMetrics metrics{shared.series};
  http::DateCache date;
  // Names for requests that no route matches, where the app tells them; may be null.
  std::unique_ptr<const TemplateRoutes> templates;
  // Called for what an operator should know and no request tells.
  std::function<void(const std::string&)> on_warning;

  // Runs a connection until it ends; takes over `socket`.
  void serve(std::shared_ptr<const ListenerState> listener, int socket, const net::Endpoint& peer);
  // Ends keep-alive: idle connections close now, new ones that say nothing soon, busy ones after their response; upgraded ones are told
  // to go away.
  void close_idle_sessions();
  // Ends every session, whatever it does.
  void cancel_sessions();

  std::unique_ptr<Scratch> borrow_scratch();
  void give_back(std::unique_ptr<Scratch> scratch);

 private:
  friend class Session;
  Session* sessions_ = nullptr;  // intrusive list
  std::vector<std::unique_ptr<Scratch>> spare_scratch_;
};

}  // namespace gatehouse::proxy
