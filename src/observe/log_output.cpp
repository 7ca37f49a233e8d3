#include "observe/log_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace gatehouse {
namespace {

constexpr int kAppend = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;

}  // namespace

LogOutput::LogOutput(int fd, std::string path, Kind kind) noexcept : fd_(fd), path_(std::move(path)), kind_(kind) {}

LogOutput::LogOutput(LogOutput&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), kind_(other.kind_) {}

LogOutput::~LogOutput() {
  if (fd_ >= 0 && (kind_ == Kind::kFile || kind_ == Kind::kOpenedAnew)) ::close(fd_);
}

LogOutput LogOutput::to_descriptor(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return {descriptor, {}, Kind::kOther};
  if (S_ISSOCK(status.st_mode)) return {descriptor, {}, Kind::kSocket};
  if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
    // O_NONBLOCK belongs to the open file, which our parent and siblings share: setting it on the inherited one breaks
    // them. Opening it anew gives us one of our own.
    const std::string self = "/proc/self/fd/" + std::to_string(descriptor);
    const int own = ::open(self.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (own >= 0) return {own, {}, Kind::kOpenedAnew};
    if (S_ISFIFO(status.st_mode)) return {descriptor, {}, Kind::kSharedPipe};
  }
  return {descriptor, {}, Kind::kOther};
}

result<LogOutput> LogOutput::to_file(std::string path) {
  const int fd = ::open(path.c_str(), kAppend, 0640);
  if (fd < 0) return error_code(errno, boost::system::system_category());
  return LogOutput(fd, std::move(path), Kind::kFile);
}

result<std::size_t> LogOutput::write(std::string_view bytes) {
  if (bytes.empty()) return std::size_t{0};
  ssize_t written = 0;
  do {
    if (kind_ == Kind::kSocket) {
      written = ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } else if (kind_ == Kind::kSharedPipe) {
      // A pipe that polls writable has room for PIPE_BUF bytes, so that much never blocks.
      pollfd ready{fd_, POLLOUT, 0};
      if (::poll(&ready, 1, 0) == 0) return std::size_t{0};
      written = ::write(fd_, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
    } else {
      written = ::write(fd_, bytes.data(), bytes.size());
    }
  } while (written < 0 && errno == EINTR);
  if (written >= 0) return static_cast<std::size_t>(written);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return std::size_t{0};
  if (errno == EPIPE || errno == ECONNRESET || errno == EBADF) return make_error_code(errc::closed);
  return error_code(errno, boost::system::system_category());
}

void LogOutput::wait(std::chrono::milliseconds patience) const {
  pollfd ready{fd_, POLLOUT, 0};
  ::poll(&ready, 1, static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(patience.count(), 0, 60000)));
}

bool LogOutput::reopen() {
  if (kind_ != Kind::kFile) return true;
  const int fd = ::open(path_.c_str(), kAppend, 0640);
  if (fd < 0) return false;
  ::close(std::exchange(fd_, fd));
  return true;
}

bool LogOutput::terminal() const noexcept { return ::isatty(fd_) == 1; }

}  // namespace gatehouse
