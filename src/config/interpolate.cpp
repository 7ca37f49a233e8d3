#include "config/interpolate.hpp"

namespace gatehouse {
namespace {

constexpr std::size_t kLargestText = 256 * 1024;

bool is_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name)
    if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return false;
  return true;
}

// What stands between `${` and `}`.
struct Reference {
  std::string_view name, operation, argument;
};

Reference split(std::string_view inside) {
  const std::size_t colon = inside.find(':');
  if (colon == std::string_view::npos) return {inside, {}, {}};
  return {inside.substr(0, colon), inside.substr(colon, 2), inside.substr(std::min(colon + 2, inside.size()))};
}

// Appends the value of one reference, or tells why there is none.
std::optional<std::string> append_value(const Reference& reference, const Environment& environment, std::string& text) {
  const std::string name(reference.name);
  if (!is_name(name))
    return "a variable is written ${NAME}, with letters, digits and _ in its name; write $${ for these characters "
           "themselves";
  if (!reference.operation.empty() && reference.operation != ":-" && reference.operation != ":?")
    return "after the name of a variable only :-default and :?message are known; write ${" + name + ":-default}";
  if (reference.argument.find("${") != std::string_view::npos)
    return "a variable cannot stand inside another; give ${" + name + "} a plain default";
  const std::optional<std::string> value = environment.variable ? environment.variable(name) : std::nullopt;
  const bool is_set = value && (!value->empty() || reference.operation.empty());
  if (is_set) {
    text += *value;
  } else if (reference.operation == ":-") {
    text += reference.argument;
  } else if (reference.operation == ":?" && !reference.argument.empty()) {
    return "the environment variable " + name + " is not set: " + std::string(reference.argument);
  } else {
    return "the environment variable " + name + " is not set; set it, or give it a default: ${" + name + ":-...}";
  }
  return std::nullopt;
}

}  // namespace

Interpolated interpolate(std::string_view text, const Environment& environment) {
  Interpolated result;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    result.text += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    if (text.starts_with("$${")) {
      result.text += "${";
      text.remove_prefix(3);
    } else if (text.starts_with("${")) {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos) {
        result.problem = "\"${\" begins a variable and has no \"}\"; write $${ for these characters themselves";
        return result;
      }
      const Reference reference = split(text.substr(2, end - 2));
      if (result.variable.empty()) result.variable = reference.name;
      result.problem = append_value(reference, environment, result.text);
      if (result.text.size() > kLargestText) result.problem = "is longer than 256 KiB with the variables put in";
      if (result.problem) return result;
      text.remove_prefix(end + 1);
    } else {
      result.text += '$';
      text.remove_prefix(1);
    }
  }
  return result;
}

std::string escape_variables(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') escaped += '$';
    escaped += text[i];
  }
  return escaped;
}

}  // namespace gatehouse
