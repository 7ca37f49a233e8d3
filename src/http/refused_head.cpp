#include "http/refused_head.hpp"

#include "http/syntax.hpp"

namespace gatehouse::http {

void keep_origin(std::string_view bytes, Headers& headers) {
  constexpr std::string_view kName = "origin:";
  constexpr std::size_t kLongest = 512;
  if (headers.find(FieldId::origin) != nullptr) return;
  std::string_view origin;
  // The last line may not be whole, so only what has its line break counts.
  for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;
    if (line.size() < kName.size() || !equals_ignoring_case(line.substr(0, kName.size()), kName)) continue;
    if (!origin.empty()) return;
    origin = trim(line.substr(kName.size()));
    if (origin.empty() || origin.size() > kLongest || !all(kVisible, origin)) return;
  }
  if (!origin.empty()) headers.add("origin", origin);
}

}  // namespace gatehouse::http
