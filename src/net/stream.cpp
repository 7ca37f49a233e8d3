#include "net/stream.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gatehouse::net {
namespace {

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);

IoResult from_errno(Direction direction) noexcept {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {0, IoStatus::kWouldBlock, direction};
  return {0, IoStatus::kFailed, direction};
}

std::size_t total_size(std::span<const iovec> parts) noexcept {
  std::size_t size = 0;
  for (const iovec& part : parts) size += part.iov_len;
  return size;
}

}  // namespace

Stream::Stream(boost::asio::io_context& io, TimerWheel& wheel, int socket)
    : io_(io), wheel_(wheel), descriptor_(io, socket) {}

Stream::~Stream() { close(); }

bool Stream::start_tls(const TlsContext& context) {
  ssl_ = context.accept(native_handle());
  return ssl_ != nullptr;
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
  ERR_clear_error();
  const int code = SSL_do_handshake(ssl_.get());
  return code == 1 ? IoResult{} : tls_result(code);
}

IoResult Stream::try_read(std::span<char> into) {
  if (ssl_) {
    std::size_t bytes = 0;
    ERR_clear_error();
    const int code = SSL_read_ex(ssl_.get(), into.data(), into.size(), &bytes);
    return code == 1 ? IoResult{bytes, IoStatus::kDone, Direction::kRead} : tls_result(code);
  }
  for (;;) {
    const ssize_t got = ::recv(native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    if (got > 0) return {static_cast<std::size_t>(got), IoStatus::kDone, Direction::kRead};
    if (got == 0) return {0, IoStatus::kClosed, Direction::kRead};
    if (errno != EINTR) return from_errno(Direction::kRead);
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
    std::size_t bytes = 0;
    ERR_clear_error();
    const int code = SSL_write_ex(ssl_.get(), from, size, &bytes);
    return code == 1 ? IoResult{bytes, IoStatus::kDone, Direction::kWrite} : tls_result(code);
  }
  for (;;) {
    ssize_t sent;
    if (parts.size() == 1) {
      sent = ::send(native_handle(), parts.front().iov_base, parts.front().iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(parts.data());
      message.msg_iovlen = parts.size();
      sent = ::sendmsg(native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (sent >= 0) return {static_cast<std::size_t>(sent), IoStatus::kDone, Direction::kWrite};
    if (errno != EINTR) return from_errno(Direction::kWrite);
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

awaitable<error_code> Stream::wait(Direction direction) {
  if (cancelled_ || !descriptor_.is_open()) co_return errc::cancelled;
  if (timed_out_) co_return errc::timeout;
  ++waiting_;
  const auto what = direction == Direction::kRead ? boost::asio::posix::descriptor_base::wait_read
                                                  : boost::asio::posix::descriptor_base::wait_write;
  const auto [error] = co_await descriptor_.async_wait(what, use_result);
  --waiting_;
  if (cancelled_) co_return errc::cancelled;
  if (timed_out_) co_return errc::timeout;
  if (error == boost::asio::error::operation_aborted) co_return errc::cancelled;
  if (error) co_return errc::reset;
  co_return error_code{};
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
  if (waiting_ == 0) return;
  error_code ignored;
  descriptor_.cancel(ignored);
}

void Stream::cancel() noexcept {
  cancelled_ = true;
  interrupt();
}

void Stream::interrupt() noexcept {
  if (waiting_ == 0) return;
  error_code ignored;
  descriptor_.cancel(ignored);
}

void Stream::shutdown_send() noexcept {
  if (!descriptor_.is_open()) return;
  if (ssl_ && SSL_is_init_finished(ssl_.get())) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  ::shutdown(native_handle(), SHUT_WR);
}

void Stream::close() noexcept {
  clear_deadline();
  if (!descriptor_.is_open()) return;
  ssl_.reset();
  error_code ignored;
  descriptor_.close(ignored);
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
