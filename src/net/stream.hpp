// A connected stream socket, plain or TLS, with one deadline. try_read() and try_write() never wait; wait() does.
//
//   for (;;) {
//     auto read = stream.try_read(buffer);              // most reads succeed at once and cost no coroutine
//     if (read.status == IoStatus::kWouldBlock) { error = co_await stream.wait(read.want); continue; }
//
// TLS sits on the socket's own BIO and gives its record buffers back between records: an idle connection holds none.
// Owner: a session or an upstream connection, which outlives every wait. Thread: the worker's.
#pragma once

#include "net/deadline.hpp"
#include "net/descriptor.hpp"
#include "net/endpoint.hpp"
#include "net/readiness.hpp"
#include "net/tls_context.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <span>
#include <string_view>
#include <sys/uio.h>

namespace gatehouse::net {

template <class T>
using awaitable = boost::asio::awaitable<T>;

enum class IoStatus {
  kDone,
  kWouldBlock,  // wait in the direction `want`, then try again
  kClosed,      // orderly end of the peer's bytes
  kFailed
};

struct IoResult {
  std::size_t bytes = 0;
  IoStatus status = IoStatus::kDone;
  Direction want = Direction::kRead;
};

class Stream final : private Deadline {
 public:
  // Takes over `socket`, which must be non-blocking.
  Stream(boost::asio::io_context& io, TimerWheel& wheel, int socket);
  ~Stream() override;

  // From now on the bytes are TLS, server side. False when out of memory.
  bool start_tls(const TlsContext& context);
  // The same with either side of a connection on this socket, made by TlsContext or TlsClient.
  void start_tls(SslPointer ssl);
  // One step of the handshake: kDone, kWouldBlock or kFailed (see tls_failure()).
  IoResult try_handshake();
  bool is_tls() const noexcept { return ssl_ != nullptr; }
  const ssl_st* ssl() const noexcept { return ssl_.get(); }
  // What OpenSSL says of the last failure, for a log line of debug level.
  std::string_view tls_failure() const noexcept { return tls_failure_; }

  IoResult try_read(std::span<char> into);
  // Writes the parts in order; fewer bytes than all of them is no error, but then the rest has to be written next.
  IoResult try_write(std::span<const iovec> parts);
  // At most `most` bytes into a pipe that is empty, and out of one that holds them, by splice(2); not over TLS. `more` will follow soon.
  IoResult try_move_to(int pipe, std::size_t most);
  IoResult try_move_from(int pipe, std::size_t most, bool more);
  // The next wait to read ends at once, in its turn: something has come, as far as the listener knows.
  void expect_bytes() noexcept { readiness_.more_to_read(); }
  // Bytes may be there although the socket is silent: TLS has decrypted or buffered them already.
  bool has_pending() const noexcept;
  // Nothing came and the peer has not left, as far as this thread has been told: costs nothing, where peek() asks the kernel.
  bool quiet() const noexcept { return readiness_.quiet(); }
  // A look at the socket without reading: kWouldBlock for a healthy silent one, kDone when bytes (or a TLS close) wait.
  IoStatus peek() noexcept;
  // The peer has ended the connection, or its half of it, whatever still waits to be read.
  bool peer_left() noexcept;

  // errc::timeout after the deadline (until it is set anew), errc::cancelled after cancel(); no bytes are consumed.
  awaitable<WaitEnd> wait(Direction direction, Turn turn = Turn::kAtOnce);
  // Writes everything, waiting as often as needed; each wait is bounded by `idle` (from progress to progress).
  awaitable<error_code> write_all(std::span<iovec> parts, Clock::duration idle);

  // From now to `at`; applies to every wait until changed.
  void set_deadline(Clock::time_point at) {
    timed_out_ = false;
    Deadline::set(wheel_, at);
  }
  void clear_deadline() noexcept {
    timed_out_ = false;
    Deadline::clear();
  }

  // Ends a wait in progress, and all later ones, with errc::cancelled.
  void cancel() noexcept;
  bool cancelled() const noexcept { return cancelled_; }
  // Ends the waits in progress with errc::cancelled; later ones are not affected.
  void interrupt() noexcept;
  // shutdown_send() follows what is written next, at once: the kernel may hold it back until then, and data and FIN share a segment. close()
  // alone would throw it away where bytes of the peer have not been read.
  void end_follows() noexcept { end_follows_ = true; }
  // Orderly end of our bytes: close_notify for TLS, then FIN.
  void shutdown_send() noexcept;
  // Its TLS part alone, where close() follows at once and says FIN by itself.
  void notify_close() noexcept;
  void close() noexcept;
  bool is_open() const noexcept { return static_cast<bool>(socket_); }
  int native_handle() const noexcept { return socket_.get(); }
  boost::asio::io_context& io() noexcept { return io_; }
  TimerWheel& wheel() noexcept { return wheel_; }

 private:
  friend struct SocketBio;
  void on_expired() override;
  IoResult tls_result(int code);
  ssize_t receive(std::span<char> into) noexcept;
  ssize_t send(std::span<const iovec> parts) noexcept;

  boost::asio::io_context& io_;
  TimerWheel& wheel_;
  Descriptor socket_;
  Readiness readiness_;
  SslPointer ssl_;
  std::string_view tls_failure_;
  bool timed_out_ = false;
  bool cancelled_ = false;
  bool end_follows_ = false;
  bool more_follows_ = false;  // in the same write
};

// Drops the first `bytes` of the parts; what is left of the span.
std::span<iovec> consume(std::span<iovec> parts, std::size_t bytes) noexcept;

}  // namespace gatehouse::net
