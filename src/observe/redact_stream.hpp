// The redactor as a filter of lines: what an app writes goes in, the same without secrets comes out. Bounded memory whatever the length
// of a line; blocks like any filter in a pipe. One thread.
#pragma once

#include "observe/redactor.hpp"

#include <string>
#include <string_view>

namespace gatehouse {

// Takes bytes as they come and gives back redacted lines.
class LineRedactor {
 public:
  // Longest line that is judged as a whole; a longer one is judged in pieces, cut where a word ends.
  static constexpr std::size_t kLongestLine = std::size_t{1} << 20;

  explicit LineRedactor(const Redactor& redactor) : redactor_(redactor) {}
  // Appends to `out` what is complete.
  void feed(std::string_view bytes, std::string& out);
  // Appends what is left: a last line without its line break.
  void finish(std::string& out);

 private:
  void add(std::string_view line, std::string& out);
  const Redactor& redactor_;
  std::string held_;
  std::string scratch_;
};

// Copies everything from one descriptor to the other, redacted. False when writing failed.
bool redact_stream(int in, int out, const Redactor& redactor);

}  // namespace gatehouse
