// What the operator asks to hide beyond the built-in lists, as RE2 patterns (linear in the text, whatever it is).
// Immutable; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace gatehouse {

class RedactPatterns {
 public:
  RedactPatterns();
  ~RedactPatterns();

  // Adds a pattern; what is wrong with it otherwise. A pattern must not match the empty text.
  std::string add(const std::string& pattern);
  bool empty() const noexcept { return patterns_.empty(); }

  struct Match {
    std::size_t begin;
    std::size_t end;
  };
  // What to hide in `text`, in order, not overlapping.
  void find(std::string_view text, std::vector<Match>& matches) const;

 private:
  std::vector<std::unique_ptr<re2::RE2>> patterns_;
};

}  // namespace gatehouse
