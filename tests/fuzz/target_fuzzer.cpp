// A request target has one reading under every policy; one that was judged and normalised is judged the same again. The
// first byte picks policy and method.
#include "fuzzing.hpp"
#include "http/target.hpp"

#include <string>

namespace {

using namespace gatehouse;
using namespace gatehouse::http;

// Written from RFC 3986 5.2.4, not from the code under test.
bool has_dot_segment(std::string_view path) {
  std::string text;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool dot = i + 2 < path.size() && path[i] == '%' && path[i + 1] == '2' && (path[i + 2] | 0x20) == 'e';
    text += dot ? '.' : path[i];
    if (dot) i += 2;
  }
  text += '/';
  for (const std::string_view segment : {"/./", "/../", "/.;", "/..;"})
    if (text.find(segment) != std::string::npos) return true;
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view target(reinterpret_cast<const char*>(data) + 1, size - 1);
  const TargetPolicy policy{static_cast<SlashPolicy>(data[0] & 1), static_cast<DotPolicy>(data[0] >> 1 & 1),
                            static_cast<DoubleSlashPolicy>(data[0] >> 2 & 1)};
  Arena arena;
  Request request(arena);
  request.method = (data[0] & 8) != 0 ? Method::kOptions : Method::kGet;
  if (judge_target(target, policy, request)) return 0;
  const std::string path(request.path);
  require(all(kVisible, path) && path.find('#') == std::string::npos && path.find('\\') == std::string::npos,
          "a path holds nothing that apps read in two ways");
  if (path == "*") return 0;
  require(path.starts_with('/') && path.find('?') == std::string::npos, "a path is a path");
  require(!has_dot_segment(path), "no dot segment is left, however it was spelled");
  require(policy.double_slash == DoubleSlashPolicy::kKeep || path == request.path, "merging is stable");

  Request again(arena);
  const std::string written = path + (request.has_query ? "?" + std::string(request.query) : "");
  require(!judge_target(written, policy, again), "what was judged is judged well again");
  require(again.path == path && again.query == request.query && again.has_query == request.has_query,
          "and reads the same");

  const std::string comparable(comparable_path(path, arena));
  require(comparable.starts_with('/') && comparable.size() <= path.size(), "a comparable path is a path");
  require(comparable.find("//") == std::string::npos, "without empty segments");
  require(comparable == "/" || !comparable.ends_with('/'), "and without a slash at the end");
  return 0;
}
