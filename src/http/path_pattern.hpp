// One pattern of a path, as routes and exemptions are written: literal, `/prefix/*`, or with `{name}` for one segment.
// Immutable: any thread may read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::http {

class PathPattern {
 public:
  explicit PathPattern(std::string_view pattern);
  // `path` is what comparable_path() made of a judged path. `/api/*` matches `/api` too: whoever guards the one means the other.
  bool matches(std::string_view path) const noexcept;

 private:
  std::vector<std::string> segments_;  // with the slash before; an empty text stands for any one segment
  bool rest_ = false;
};

}  // namespace gatehouse::http
