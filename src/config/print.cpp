#include "config/print.hpp"

#include "config/interpolate.hpp"
#include "config/setting_value.hpp"
#include "config/units.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

// On routes a default is not a value: what holds there is the value of the whole.
enum class Show { kEverything, kGiven };

class Printer {
 public:
  std::string print(const SettingValue& top) {
    print_map(top, 0, Show::kEverything);
    return std::move(out_);
  }

 private:
  void print_map(const SettingValue& map, std::size_t indent, Show show) {
    for (const SettingValue& value : map.items)
      if (is_shown(value, show))
        print_entry(value, indent, indent == 0 && value.spec->name == "routes" ? Show::kGiven : show);
  }

  static bool is_shown(const SettingValue& value, Show show) {
    return show == Show::kGiven ? value.is_given() : value.is_there();
  }

  void print_entry(const SettingValue& value, std::size_t indent, Show show) {
    start_line(indent);
    out_ += value.spec->name;
    if (value.source == SettingValue::Source::kFile) out_ += "_file";
    out_ += ':';
    switch (value.spec->type) {
      case KeyType::kMap:
        print_nested_map(value, indent, show);
        break;
      case KeyType::kMaps:
        print_maps(value, indent, show);
        break;
      case KeyType::kTexts:
        print_texts(value, indent);
        break;
      default:
        out_ += " " + scalar(value) + "\n";
    }
  }

  void print_nested_map(const SettingValue& map, std::size_t indent, Show show) {
    const bool any =
        std::any_of(map.items.begin(), map.items.end(), [&](const SettingValue& v) { return is_shown(v, show); });
    out_ += any ? "\n" : " {}\n";
    print_map(map, indent + 2, show);
  }

  void print_maps(const SettingValue& list, std::size_t indent, Show show) {
    out_ += list.items.empty() ? " []\n" : "\n";
    for (const SettingValue& item : list.items) {
      // The first key stands behind the dash.
      const std::size_t start = out_.size();
      print_map(item, indent + 4, show);
      if (out_.size() == start)
        out_ += std::string(indent + 2, ' ') + "- {}\n";
      else
        out_[start + indent + 2] = '-';
    }
  }

  void print_texts(const SettingValue& list, std::size_t indent) {
    out_ += list.items.empty() ? " []\n" : "\n";
    for (const SettingValue& item : list.items) {
      start_line(indent + 2);
      out_ += "- " + yaml_scalar(escape_variables(item.text)) + "\n";
    }
  }

  static std::string scalar(const SettingValue& value) {
    const KeySpec& spec = *value.spec;
    if (value.source == SettingValue::Source::kFile) return yaml_scalar(escape_variables(value.raw));
    if (spec.is_secret && !value.text.empty()) {
      const bool has_variable = value.source == SettingValue::Source::kEnvironment;
      return yaml_scalar(redacted_secret(has_variable ? value.raw : escape_variables(value.text)));
    }
    switch (spec.type) {
      case KeyType::kBoolean:
        return value.amount != 0 ? "true" : "false";
      case KeyType::kInteger:
        return value.text == spec.word ? spec.word : std::to_string(value.amount);
      case KeyType::kNumber:
        return format_number(value.number);
      case KeyType::kDuration:
        return format_duration(milliseconds(value.amount));
      case KeyType::kBytes:
        return format_bytes(static_cast<Bytes>(value.amount));
      default:
        return yaml_scalar(escape_variables(value.text));
    }
  }

  void start_line(std::size_t indent) { out_.append(indent, ' '); }

  std::string out_;
};

// `${NAME}` or `${NAME:?message}` and nothing else. A default may be the secret itself.
bool is_reference(std::string_view text) {
  if (!text.starts_with("${") || !text.ends_with('}')) return false;
  const std::string_view inside = text.substr(2, text.size() - 3);
  return inside.find_first_of("{}$") == std::string_view::npos && inside.find(":-") == std::string_view::npos;
}

std::string hidden(std::string_view text) {
  return text.empty() || is_reference(text) ? std::string(text) : std::string(kRedacted);
}

std::string hidden_password(std::string_view user) {
  const std::size_t colon = user.starts_with("${") ? user.find(':', user.find('}')) : user.find(':');
  if (colon == std::string_view::npos) return std::string(user);
  return std::string(user.substr(0, colon)) + ":" + hidden(user.substr(colon + 1));
}

// Parameters of database URLs hold passwords, key files and tokens under many names.
std::string hidden_parameters(std::string_view query) {
  std::string shown;
  while (true) {
    const std::size_t end = query.find('&');
    const std::string_view parameter = query.substr(0, end);
    const std::size_t equals = parameter.find('=');
    shown += parameter.substr(0, equals == std::string_view::npos ? equals : equals + 1);
    if (equals != std::string_view::npos) shown += hidden(parameter.substr(equals + 1));
    if (end == std::string_view::npos) return shown;
    shown += '&';
    query.remove_prefix(end + 1);
  }
}

}  // namespace

std::string print_config(const Config& config) { return Printer().print(config.settings->values); }

std::string redacted_secret(std::string_view written) {
  if (is_reference(written)) return std::string(written);
  const std::size_t scheme_end = written.find("://");
  if (scheme_end == std::string_view::npos) return std::string(kRedacted);
  const std::string_view rest = written.substr(scheme_end + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  const std::string_view behind = rest.substr(authority.size());
  // A password that is not percent-encoded may hold any character: what is not clearly a URL is hidden whole.
  if (rest.find('@') != rest.rfind('@') || behind.find('@') != std::string_view::npos ||
      rest.find('#') != std::string_view::npos || rest.find("://") != std::string_view::npos)
    return std::string(kRedacted);
  const std::size_t at = authority.find('@');
  const std::string_view user = at == std::string_view::npos ? std::string_view{} : authority.substr(0, at);
  const std::string_view host = at == std::string_view::npos ? authority : authority.substr(at + 1);
  std::string shown(written.substr(0, scheme_end + 3));
  // Web services take tokens as the user and in the path; databases do not.
  if (written.starts_with("http")) {
    if (!user.empty()) shown += hidden(user) + "@";
    shown += host;
    return behind.size() > 1 ? shown + "/" + hidden(behind.substr(1)) : shown + std::string(behind);
  }
  if (at != std::string_view::npos) shown += hidden_password(user) + "@";
  const std::size_t question = behind.find('?');
  shown += std::string(host) + std::string(behind.substr(0, question));
  if (question != std::string_view::npos) shown += "?" + hidden_parameters(behind.substr(question + 1));
  return shown;
}

std::string yaml_scalar(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/' ||
           c == '.' || c == '-';
  };
  static constexpr std::string_view kWords[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const bool starts_as_text =
      !text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z') || text[0] == '/');
  if (starts_as_text && std::all_of(text.begin(), text.end(), is_plain) &&
      std::find(std::begin(kWords), std::end(kWords), lower) == std::end(kWords))
    return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace gatehouse
