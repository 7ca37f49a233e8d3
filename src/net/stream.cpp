#include "net/stream.hpp"

#include "net/socket_bio.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gatehouse::net {
namespace {

IoResult from_errno(Direction direction) noexcept {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {0, IoStatus::kWouldBlock, direction};
  return {0, IoStatus::kFailed, direction};
}

std::size_t total_size(std::span<const iovec> parts) noexcept {
  std::size_t size = 0;
  for (const iovec& part : parts) size += part.iov_len;
  return size;
}

// SSL_get_error() takes whatever lies in this thread's queue for the reason of its own call. Emptying an empty queue takes longer than a look.
void forget_errors() noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

Stream::Stream(boost::asio::io_context& io, TimerWheel& wheel, int socket)
    : io_(io), wheel_(wheel), socket_(socket), readiness_(io, socket) {}

Stream::~Stream() { close(); }

bool Stream::start_tls(const TlsContext& context) {
  start_tls(context.accept());
  return ssl_ != nullptr;
}

void Stream::start_tls(SslPointer ssl) {
  if (ssl && !SocketBio::attach(*ssl, *this)) ssl.reset();
  ssl_ = std::move(ssl);
}

IoResult Stream::tls_result(int code) {
  switch (SSL_get_error(ssl_.get(), code)) {
    case SSL_ERROR_WANT_READ: return {0, IoStatus::kWouldBlock, Direction::kRead};
    case SSL_ERROR_WANT_WRITE: return {0, IoStatus::kWouldBlock, Direction::kWrite};
    case SSL_ERROR_ZERO_RETURN: return {0, IoStatus::kClosed, Direction::kRead};
    default: break;
  }
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  tls_failure_ = reason != nullptr ? reason : "connection broken";
  ERR_clear_error();
  return {0, IoStatus::kFailed, Direction::kRead};
}

IoResult Stream::try_handshake() {
  forget_errors();
  const int code = SSL_do_handshake(ssl_.get());
  return code == 1 ? IoResult{} : tls_result(code);
}

IoResult Stream::try_read(std::span<char> into) {
  if (ssl_) {
    std::size_t bytes = 0;
    forget_errors();
    const int code = SSL_read_ex(ssl_.get(), into.data(), into.size(), &bytes);
    return code == 1 ? IoResult{bytes, IoStatus::kDone, Direction::kRead} : tls_result(code);
  }
  const ssize_t got = receive(into);
  if (got > 0) return {static_cast<std::size_t>(got), IoStatus::kDone, Direction::kRead};
  if (got == 0) return {0, IoStatus::kClosed, Direction::kRead};
  return from_errno(Direction::kRead);
}

// One system call, and what its result tells of the next one.
ssize_t Stream::receive(std::span<char> into) noexcept {
  for (;;) {
    const ssize_t got = ::recv(native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got == static_cast<ssize_t>(into.size()))
      readiness_.more_to_read();
    else
      readiness_.exhausted(Direction::kRead);
    return got;
  }
}

ssize_t Stream::send(std::span<const iovec> parts) noexcept {
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (end_follows_ || more_follows_ ? MSG_MORE : 0);
  for (;;) {
    ssize_t sent;
    if (parts.size() == 1) {
      sent = ::send(native_handle(), parts.front().iov_base, parts.front().iov_len, flags);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(parts.data());
      message.msg_iovlen = parts.size();
      sent = ::sendmsg(native_handle(), &message, flags);
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) readiness_.exhausted(Direction::kWrite);
    return sent;
  }
}

IoResult Stream::try_write(std::span<const iovec> parts) {
  if (ssl_) {
    // A record holds 16 KiB: short parts are gathered into one so that a head and its body share a record.
    constexpr std::size_t kRecord = 16384;
    const std::size_t total = total_size(parts);
    if (total == 0) return {};
    char record[kRecord];
    const void* from = parts.front().iov_base;
    std::size_t size = parts.front().iov_len;
    if (size < kRecord && parts.size() > 1) {
      size = 0;
      for (const iovec& part : parts) {
        const std::size_t some = std::min(part.iov_len, kRecord - size);
        std::copy_n(static_cast<const char*>(part.iov_base), some, record + size);
        size += some;
        if (size == kRecord) break;
      }
      from = record;
    }
    // The records of one write leave together: a segment takes several.
    more_follows_ = total > std::min(size, kRecord);
    std::size_t bytes = 0;
    forget_errors();
    const int code = SSL_write_ex(ssl_.get(), from, size, &bytes);
    more_follows_ = false;
    return code == 1 ? IoResult{bytes, IoStatus::kDone, Direction::kWrite} : tls_result(code);
  }
  const ssize_t sent = send(parts);
  return sent >= 0 ? IoResult{static_cast<std::size_t>(sent), IoStatus::kDone, Direction::kWrite} : from_errno(Direction::kWrite);
}

IoResult Stream::try_move_to(int pipe, std::size_t most) {
  for (;;) {
    const ssize_t got = ::splice(native_handle(), nullptr, pipe, nullptr, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    // Fewer bytes than asked for may mean that the pipe is full: only EAGAIN says that nothing is left.
    if (got > 0) readiness_.more_to_read();
    if (got > 0) return {static_cast<std::size_t>(got), IoStatus::kDone, Direction::kRead};
    if (got == 0) return {0, IoStatus::kClosed, Direction::kRead};
    if (errno == EINTR) continue;
    readiness_.exhausted(Direction::kRead);
    return from_errno(Direction::kRead);
  }
}

IoResult Stream::try_move_from(int pipe, std::size_t most, bool more) {
  for (;;) {
    const ssize_t sent = ::splice(pipe, nullptr, native_handle(), nullptr, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE | (more ? SPLICE_F_MORE : 0U));
    if (sent >= 0) return {static_cast<std::size_t>(sent), IoStatus::kDone, Direction::kWrite};
    if (errno == EINTR) continue;
    readiness_.exhausted(Direction::kWrite);
    return from_errno(Direction::kWrite);
  }
}

bool Stream::has_pending() const noexcept { return ssl_ && SSL_has_pending(ssl_.get()) == 1; }

IoStatus Stream::peek() noexcept {
  char byte;
  const ssize_t got = ::recv(native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got > 0) return IoStatus::kDone;
  if (got == 0) return IoStatus::kClosed;
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? IoStatus::kWouldBlock : IoStatus::kFailed;
}

// An end behind bytes that nobody has read yet hides from a look at the bytes.
bool Stream::peer_left() noexcept {
  pollfd look{native_handle(), POLLRDHUP, 0};
  return ::poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

awaitable<WaitEnd> Stream::wait(Direction direction, Turn turn) {
  if (cancelled_ || !socket_) return readiness_.ended(errc::cancelled);
  if (timed_out_) return readiness_.ended(errc::timeout);
  return readiness_.wait(direction, turn);
}

awaitable<error_code> Stream::write_all(std::span<iovec> parts, Clock::duration idle) {
  bool armed = false;
  while (!parts.empty()) {
    const IoResult written = try_write(parts);
    if (written.status == IoStatus::kDone) {
      parts = consume(parts, written.bytes);
      continue;
    }
    if (written.status != IoStatus::kWouldBlock) co_return errc::reset;
    set_deadline(Clock::now() + idle);
    armed = true;
    const error_code error = co_await wait(written.want);
    if (error) co_return error;
  }
  // Whoever waits in the other direction must not run into a deadline that was about writing.
  if (armed) clear_deadline();
  co_return error_code{};
}

void Stream::on_expired() {
  timed_out_ = true;
  readiness_.end(errc::timeout);
}

void Stream::cancel() noexcept {
  cancelled_ = true;
  interrupt();
}

void Stream::interrupt() noexcept { readiness_.end(errc::cancelled); }

void Stream::shutdown_send() noexcept {
  notify_close();
  if (socket_) ::shutdown(native_handle(), SHUT_WR);
}

void Stream::notify_close() noexcept {
  if (!socket_ || !ssl_ || !SSL_is_init_finished(ssl_.get())) return;
  forget_errors();
  SSL_shutdown(ssl_.get());
}

void Stream::close() noexcept {
  clear_deadline();
  if (!socket_) return;
  ssl_.reset();
  readiness_.forget();
  socket_.reset();
}

std::span<iovec> consume(std::span<iovec> parts, std::size_t bytes) noexcept {
  while (!parts.empty() && bytes >= parts.front().iov_len) {
    bytes -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (!parts.empty()) {
    parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + bytes;
    parts.front().iov_len -= bytes;
  }
  return parts;
}

}  // namespace gatehouse::net
