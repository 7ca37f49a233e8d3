#include "observe/redact_stream.hpp"

#include <cerrno>
#include <memory>
#include <unistd.h>

namespace gatehouse {
namespace {

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

void LineRedactor::add(std::string_view line, std::string& out) { out += redactor_.text(line, scratch_); }

void LineRedactor::feed(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      held_ += bytes;
      break;
    }
    if (held_.empty()) {
      add(bytes.substr(0, end), out);
    } else {
      held_ += bytes.substr(0, end);
      add(held_, out);
      held_.clear();
    }
    out += '\n';
    bytes.remove_prefix(end + 1);
  }
  while (held_.size() > kLongestLine) {
    // The last end of a word in the second half, so that no secret is cut in two and progress is certain.
    const std::size_t space = held_.find_last_of(" \t,;\"'", kLongestLine);
    const std::size_t cut = space == std::string::npos || space < kLongestLine / 2 ? kLongestLine : space + 1;
    add(std::string_view(held_).substr(0, cut), out);
    held_.erase(0, cut);
  }
}

void LineRedactor::finish(std::string& out) {
  if (!held_.empty()) add(held_, out);
  held_.clear();
}

bool redact_stream(int in, int out, const Redactor& redactor) {
  constexpr std::size_t kRead = std::size_t{256} << 10;
  const auto buffer = std::make_unique_for_overwrite<char[]>(kRead);
  LineRedactor lines(redactor);
  std::string redacted;
  for (;;) {
    const ssize_t got = ::read(in, buffer.get(), kRead);
    if (got < 0 && errno == EINTR) continue;
    redacted.clear();
    if (got <= 0) {
      lines.finish(redacted);
      return write_all(out, redacted);
    }
    lines.feed({buffer.get(), static_cast<std::size_t>(got)}, redacted);
    if (!write_all(out, redacted)) return false;
  }
}

}  // namespace gatehouse
