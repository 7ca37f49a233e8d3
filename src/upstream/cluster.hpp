// One address of the app as one worker sees it, and connections to it. Thread: the worker's, but for being made.
#pragma once

#include "upstream/circuit.hpp"
#include "upstream/connection_pool.hpp"

#include <gatehouse/result.hpp>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse::upstream {

struct ClusterSettings {
  std::string host;       // name or address literal; empty for a Unix socket
  std::uint16_t port = 0;
  std::string unix_path;
  std::string authority;  // what Host says where a client names none
  std::string address;    // what records and metrics call it
  std::chrono::milliseconds connect_timeout{3000};
  std::chrono::milliseconds idle_timeout{4000};
  std::chrono::milliseconds surely_open{500};  // no app closes a connection that has been idle for no longer
  std::chrono::milliseconds wait_for_app{0};  // how long a request waits for an app that does not accept connections
  std::size_t wait_queue = 256;               // how many requests of a worker may wait so
  std::size_t idle_connections = 512;
  std::int64_t max_connections = 1024;  // of all workers together
  std::optional<CircuitSettings> circuit;
  bool operator==(const ClusterSettings&) const = default;
};

// Connections to the app that all workers of the process hold.
struct SharedConnections {
  std::atomic<std::int64_t> open{0};
  std::atomic<std::int64_t> waiting{0};  // requests that wait for one to become free
  std::atomic<std::int64_t> uploads{0};  // requests whose bodies are still on their way
};

// Counts a request among the uploads for as long as it lives.
class UploadPlace {
 public:
  // Counted by the caller already.
  explicit UploadPlace(std::atomic<std::int64_t>& uploads) noexcept : uploads_(&uploads) {}
  UploadPlace(UploadPlace&& other) noexcept : uploads_(std::exchange(other.uploads_, nullptr)) {}
  UploadPlace& operator=(UploadPlace&& other) noexcept {
    std::swap(uploads_, other.uploads_);
    return *this;
  }
  ~UploadPlace() {
    if (uploads_ != nullptr) uploads_->fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::int64_t>* uploads_;
};

class Cluster {
 public:
  Cluster(boost::asio::io_context& io, net::TimerWheel& wheel, ClusterSettings settings, observe::WorkerMetrics& metrics,
          SharedConnections& shared);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // A live idle connection, or null: then connect(). For a request that cannot be sent again only one that the app is not about
  // to close: the keep-alive race would be lost for good.
  enum class Repeat : std::uint8_t { kPossible, kImpossible };
  std::unique_ptr<Connection> take_idle(Repeat repeat) {
    return repeat == Repeat::kPossible ? pool_.take() : pool_.take(settings_.surely_open);
  }
  enum class Patience : std::uint8_t { kNone, kAsConfigured };
  // A new connection. Waits for one to become free where max_connections are open (at most connect_timeout), and for the app, with
  // patience, as configured. errc::unreachable, timeout, unresolved, exhausted, or too_large when too many wait already or none became free.
  boost::asio::awaitable<result<std::unique_ptr<Connection>>> connect(Patience patience = Patience::kAsConfigured);
  // Leave to use a connection for a request whose body is still coming: of those there may be three quarters of max_connections, so
  // that clients that send slowly leave connections for everyone else. Waits for a place as connect() does; null when there is none.
  boost::asio::awaitable<std::optional<UploadPlace>> upload_place();
  // A connection that can carry another request. `keep_alive` is the app's Keep-Alive field, or empty.
  void give_back(std::unique_ptr<Connection> connection, std::string_view keep_alive);
  // A connection that cannot.
  void discard(std::unique_ptr<Connection> connection) noexcept;
  void close_idle() noexcept { pool_.close_all(); }

  // Its worker takes it into use, on the thread that this is; more than once does no harm.
  void begin_use();

  // What requests tell about the app; every request asks it first.
  Circuit& circuit() noexcept { return circuit_; }
  // Told, in words, when the circuit changes.
  void on_event(std::function<void(const std::string&)> told) { on_event_ = std::move(told); }

  const ClusterSettings& settings() const noexcept { return settings_; }

 private:
  boost::asio::awaitable<bool> wait_for_slot();
  boost::asio::awaitable<result<std::unique_ptr<Connection>>> connect_once();
  boost::asio::awaitable<result<std::unique_ptr<Connection>>> connect_to(net::Endpoint endpoint);

  boost::asio::io_context& io_;
  net::TimerWheel& wheel_;
  ClusterSettings settings_;
  observe::WorkerMetrics& metrics_;
  SharedConnections& shared_;
  ConnectionPool pool_;
  Circuit circuit_;
  std::function<void(const std::string&)> on_event_;
  std::vector<net::Endpoint> endpoints_;  // empty: to be resolved (again)
  bool used_ = false;  // and counted among the circuits
  std::size_t waiting_ = 0;
  std::size_t uploads_waiting_ = 0;
};

// What `Keep-Alive: timeout=N` leaves for the pool: N seconds less one; `most` where it says nothing.
net::Clock::duration learned_idle(std::string_view keep_alive, net::Clock::duration most) noexcept;

}  // namespace gatehouse::upstream
