// Where lines end up: a descriptor that was inherited, or a file. Never blocks for long, whatever the descriptor is, so
// that a reader that stopped reading cannot hold up the end of the process. Used by the writer thread alone.
#pragma once

#include <gatehouse/result.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace gatehouse {

class LogOutput {
 public:
  // `descriptor` stays the caller's; its flags are not touched, since other processes may share it.
  static LogOutput to_descriptor(int descriptor);
  // Appends to a file, which is created readable by owner and group.
  static result<LogOutput> to_file(std::string path);
  LogOutput(LogOutput&& other) noexcept;
  LogOutput& operator=(LogOutput&&) = delete;
  ~LogOutput();

  // How many of the bytes were taken: less than all, and 0 too, when the other side is slow. An error is final for
  // these bytes: errc::closed when nobody will ever read again.
  result<std::size_t> write(std::string_view bytes);
  // Waits until write() may take more.
  void wait(std::chrono::milliseconds patience) const;
  // Opens the file of that name anew (after a rotation). Keeps the old one when that fails. True for a descriptor.
  bool reopen();
  // Whether a person is looking.
  bool terminal() const noexcept;

 private:
  enum class Kind { kFile, kOpenedAnew, kSharedPipe, kSocket, kOther };
  LogOutput(int fd, std::string path, Kind kind) noexcept;

  int fd_;
  std::string path_;
  Kind kind_;
};

}  // namespace gatehouse
