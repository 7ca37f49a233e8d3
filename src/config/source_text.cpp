#include "config/source_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace gatehouse {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

std::string reason(int error) {
  if (error == ENOENT) return "does not exist";
  if (error == EACCES) return "may not be read by this user";
  return "cannot be read: " + std::generic_category().message(error);
}

// O_NONBLOCK: opening a pipe that nobody writes must not wait.
int open_for_reading(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

std::optional<std::string> not_regular(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return reason(errno);
  if (S_ISDIR(status.st_mode)) return "is a directory, not a file";
  if (!S_ISREG(status.st_mode)) return "is not a regular file";
  return std::nullopt;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

FileContent read_regular_file(const std::string& path, std::size_t most) {
  if (path.find('\0') != std::string::npos) return {{}, "has a NUL in its name"};
  const Descriptor file(open_for_reading(path));
  if (file.number() < 0) return {{}, reason(errno)};
  if (auto problem = not_regular(file.number())) return {{}, std::move(problem)};
  std::string text;
  char block[16384];
  while (text.size() <= most) {
    const ssize_t count = ::read(file.number(), block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return {{}, reason(errno)};
    if (count == 0) return {std::move(text), std::nullopt};
    text.append(block, static_cast<std::size_t>(count));
  }
  return {{}, "is larger than " + std::to_string(most / 1024) + " KiB"};
}

std::optional<std::string> unreadable(const std::string& path) {
  if (path.find('\0') != std::string::npos) return "has a NUL in its name";
  const Descriptor file(open_for_reading(path));
  if (file.number() < 0) return reason(errno);
  return not_regular(file.number());
}

std::size_t utf8_length(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if (!is_continuation(text[i])) return 0;
  // Overlong forms, surrogates and what lies behind U+10FFFF show in the second byte (RFC 3629 4).
  const auto second = static_cast<unsigned char>(text[1]);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
      (lead == 0xF4 && second > 0x8F))
    return 0;
  return length;
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::optional<std::string_view> yaml_text(std::string_view text, Mistakes& mistakes) {
  if (text.size() > kLargestConfiguration) {
    mistakes.add({}, {}, "is larger than 1 MiB");
    return std::nullopt;
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    mistakes.add({1, 1}, {}, "the file is UTF-16; save it as UTF-8");
    return std::nullopt;
  }
  Position at{1, 1};
  bool indenting = true;
  const std::string_view all = text;
  while (!text.empty()) {
    const char c = text[0];
    const std::size_t length = utf8_length(text);
    std::string_view wrong;
    if (length == 0) wrong = "this byte is not valid UTF-8";
    if (c == '\t' && indenting) {
      // A line of nothing but white space means nothing, whatever the white space is.
      const std::size_t next = text.find_first_not_of(" \t\r");
      if (next != std::string_view::npos && text[next] != '\n') wrong = "a tab is no indentation in YAML; use spaces";
    }
    if (c == '\r' && (text.size() < 2 || text[1] != '\n')) wrong = "a carriage return stands here without a line feed";
    if (c == '\0') wrong = "a NUL byte is not text";
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\0' && c != '\t' && c != '\n' && c != '\r') || c == '\x7F')
      wrong = "a control character is not text";
    if (!wrong.empty()) {
      mistakes.add(at, {}, std::string(wrong));
      return std::nullopt;
    }
    indenting = c == '\n' || (indenting && (c == ' ' || c == '\t'));
    at = c == '\n' ? Position{at.line + 1, 1} : Position{at.line, at.column + 1};
    text.remove_prefix(length);
  }
  return all;
}

LineIndex::LineIndex(std::string_view text) : text_(text), starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') starts_.push_back(i + 1);
}

std::size_t LineIndex::offset(int line, int byte_column) const {
  if (line < 0 || static_cast<std::size_t>(line) >= starts_.size()) return text_.size();
  return std::min(starts_[static_cast<std::size_t>(line)] + static_cast<std::size_t>(std::max(byte_column, 0)),
                  text_.size());
}

Position LineIndex::position(std::size_t offset) const {
  const auto line = std::upper_bound(starts_.begin(), starts_.end(), offset) - 1;
  const auto start = text_.begin() + static_cast<std::ptrdiff_t>(*line);
  const auto end = text_.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text_.size()));
  const auto characters = std::count_if(start, end, [](char c) { return !is_continuation(c); });
  return {static_cast<int>(line - starts_.begin()) + 1, static_cast<int>(characters) + 1};
}

Position LineIndex::position(int line, int byte_column) const { return position(offset(line, byte_column)); }

}  // namespace gatehouse
