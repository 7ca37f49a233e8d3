#include "proxy/body_capture.hpp"

#include <gatehouse/message.hpp>

namespace gatehouse::proxy {

bool is_logged_type(std::string_view content_type, const std::vector<std::string>& types) noexcept {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  if (type.empty()) return false;
  return std::any_of(types.begin(), types.end(), [type](std::string_view wanted) {
    const std::size_t star = wanted.find('*');
    if (star == std::string_view::npos) return equals_ignoring_case(type, wanted);
    const std::string_view front = wanted.substr(0, star), back = wanted.substr(star + 1);
    return type.size() >= front.size() + back.size() && equals_ignoring_case(type.substr(0, front.size()), front) &&
           equals_ignoring_case(type.substr(type.size() - back.size()), back);
  });
}

}  // namespace gatehouse::proxy
