// What is wrong in a configuration, told so that its author can put it right. Every mistake is collected; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

// Line and column count from 1, columns in characters; line 0: the file as a whole.
struct Position {
  int line = 0;
  int column = 0;
  auto operator<=>(const Position&) const = default;
};

struct Mistake {
  std::string file;
  Position at;
  std::string key;  // "listeners[0].tls.profile"; empty: no key in particular
  std::string sentence;
  bool operator==(const Mistake&) const = default;
};

// `file:line:column: key: sentence`, without the parts that there are not.
std::string to_string(const Mistake& mistake);

// The mistakes of one file, up to a bound.
class Mistakes {
 public:
  explicit Mistakes(std::string file) : file_(std::move(file)) {}
  void add(Position at, std::string key, std::string sentence);
  std::size_t count() const noexcept { return count_; }
  const std::string& file() const noexcept { return file_; }
  // In the order of the file; the last one says how many more there were.
  std::vector<Mistake> sorted() const;

 private:
  std::string file_;
  std::vector<Mistake> list_;
  std::size_t count_ = 0;
};

}  // namespace gatehouse
