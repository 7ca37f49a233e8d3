// The bytes of a configuration file, before YAML sees them.
#pragma once

#include "config/mistake.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

// The content of a regular file of at most `most` bytes, or why there is none ("is a directory"). Never waits: a pipe
// or a device is refused unopened by readers.
struct FileContent {
  std::string text;
  std::optional<std::string> problem;
};
FileContent read_regular_file(const std::string& path, std::size_t most);
// Why that path cannot be opened as a regular file for reading, or nothing.
std::optional<std::string> unreadable(const std::string& path);

constexpr std::size_t kLargestConfiguration = 1024 * 1024;

// `text` without a byte order mark, if it can be given to a YAML parser; else reports what it holds that cannot be:
// invalid UTF-8, control characters, tabs as indentation, too many bytes.
std::optional<std::string_view> yaml_text(std::string_view text, Mistakes& mistakes);

// How many bytes the UTF-8 character at the start of `text` has; 0: it is not valid UTF-8.
std::size_t utf8_length(std::string_view text) noexcept;
bool is_utf8(std::string_view text) noexcept;
// Where in `text` the byte at that line and byte column (both from 0) is, counted as people do.
class LineIndex {
 public:
  explicit LineIndex(std::string_view text);
  Position position(int line, int byte_column) const;
  Position position(std::size_t offset) const;
  std::size_t offset(int line, int byte_column) const;

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

}  // namespace gatehouse
