#include "config/keys.hpp"
#include "config/schema.hpp"
#include "config/units.hpp"
#include "config/wording.hpp"

namespace gatehouse {
namespace {

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

// ", 1 to 256"
std::string range(const KeySpec& spec) {
  const bool is_any = spec.minimum == 0 && spec.maximum == std::numeric_limits<std::int64_t>::max();
  return is_any ? "" : ", " + range_text(spec);
}

std::string type_text(const KeySpec& spec) {
  const std::string of = spec.text_format == nullptr ? "text" : std::string(spec.text_format->name);
  switch (spec.type) {
    case KeyType::kText:
      return of;
    case KeyType::kBoolean:
      return "boolean";
    case KeyType::kInteger:
      return "integer" + range(spec) + (spec.word.empty() ? "" : ", or " + code(spec.word));
    case KeyType::kNumber:
      return "number" + (spec.number_maximum < std::numeric_limits<double>::max()
                             ? ", " + format_number(spec.number_minimum) + " to " + format_number(spec.number_maximum)
                             : std::string{});
    case KeyType::kDuration:
      return "duration" + range(spec);
    case KeyType::kBytes:
      return "size" + range(spec);
    case KeyType::kChoice: {
      std::string words;
      for (const std::string& choice : spec.choices) words += (words.empty() ? "" : ", ") + code(choice);
      return "one of " + words;
    }
    case KeyType::kTexts:
      return "list: " + of;
    case KeyType::kMap:
      return "map" + (spec.shorthand.empty() ? "" : ", or " + code(spec.shorthand) + " alone");
    case KeyType::kMaps:
      return "list of maps";
  }
  return {};
}

std::string default_text(const KeySpec& spec) {
  if (spec.is_required) return "required";
  if (!spec.default_yaml) return "";
  return spec.default_yaml->empty() ? code("\"\"") : code(*spec.default_yaml);
}

// `|` would end a cell.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

void add_row(std::string& page, const KeySpec& spec) {
  const std::string name = code(spec.name) + (spec.is_secret ? " or " + code(spec.name + "_file") : "");
  page +=
      "| " + name + " | " + cell(type_text(spec)) + " | " + cell(default_text(spec)) + " | " + cell(spec.doc) + " |\n";
}

void add_page_part(std::string& page, const std::vector<KeySpec>& keys, const std::string& path) {
  page += "\n| key | type | default | |\n|---|---|---|---|\n";
  for (const KeySpec& spec : keys) add_row(page, spec);
  for (const KeySpec& spec : keys) {
    if (spec.children.empty()) continue;
    const std::string inside = (path.empty() ? "" : path + ".") + spec.name + (spec.type == KeyType::kMaps ? "[]" : "");
    page += "\n## " + code(inside) + "\n\n" + spec.doc + "\n";
    add_page_part(page, spec.children, inside);
  }
}

}  // namespace

std::string reference_page(std::span<const Section> sections) {
  std::string page =
      "# Configuration reference\n\n"
      "Durations carry units (`250ms`, `5s`, `1m30s`, `1h`, `7d`), and so do sizes (`512B`, `16KiB`, `10MiB`).\n"
      "`${NAME}`, `${NAME:-default}` and `${NAME:?message}` in a value stand for environment variables; `$${` is "
      "`${`.\n"
      "A relative path starts at the folder of the configuration file.\n";
  add_page_part(page, file_keys(sections).children, {});
  return page;
}

}  // namespace gatehouse
