#include "observe/redact_filter.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace gatehouse {
namespace {

constexpr std::size_t kRead = std::size_t{256} << 10;
// How long an event waits for further lines of a traceback.
constexpr int kPauseMilliseconds = 250;

error_code last_error() { return {errno, boost::system::system_category()}; }

}  // namespace

error_code write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd ready{descriptor, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return last_error();
    }
  }
  return {};
}

error_code redact_stream(int in, int out, std::shared_ptr<const Redactor> redactor, AppLogForm form) {
  AppLog log(std::move(redactor), form);
  std::vector<char> buffer(kRead);
  std::string told;
  for (;;) {
    pollfd ready{in, POLLIN, 0};
    const int events = log.waiting() ? ::poll(&ready, 1, kPauseMilliseconds) : 1;
    if (events == 0) {
      log.pause(told);
    } else {
      const ssize_t size = ::read(in, buffer.data(), buffer.size());
      if (size == 0) break;
      if (size > 0) {
        log.feed({buffer.data(), static_cast<std::size_t>(size)}, told);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        ::poll(&ready, 1, -1);
      } else if (errno != EINTR) {
        return last_error();
      }
    }
    if (const error_code error = write_all(out, told)) return error;
    told.clear();
  }
  log.finish(told);
  return write_all(out, told);
}

}  // namespace gatehouse
