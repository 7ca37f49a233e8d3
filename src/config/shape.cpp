#include "config/shape.hpp"

#include "config/nearest.hpp"
#include "config/source_text.hpp"
#include "config/units.hpp"
#include "config/wording.hpp"

#include <algorithm>
#include <charconv>

namespace gatehouse {
namespace {

constexpr std::size_t kLargestSecret = 64 * 1024;

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// A plain word that YAML 1.1 readers take for a boolean.
bool looks_boolean(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  static constexpr std::string_view kWords[] = {"true", "false", "yes", "no", "on", "off"};
  return std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords);
}

// A plain word that YAML readers take for a number, decimal or not.
bool looks_numeric(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text == ".inf" || text == ".nan") return true;
  if (text.starts_with("0x") || text.starts_with("0o"))
    return text.size() > 2 && text.substr(2).find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.find_first_not_of("0123456789.eE+-_") != std::string_view::npos) return false;
  return (error == std::errc{} && end == text.data() + text.size()) ||
         text.find_first_not_of("0123456789_") == std::string_view::npos;
}

std::string joined(const std::string& path, const std::string& key) { return path.empty() ? key : path + "." + key; }

const YamlEntry* find(const YamlNode& node, const std::string& key) {
  const auto found =
      std::find_if(node.entries.begin(), node.entries.end(), [&](const YamlEntry& e) { return e.key == key; });
  return found == node.entries.end() ? nullptr : &*found;
}

YamlNode empty_map(Position at) { return {YamlNode::Kind::kMap, at, {}, false, {}, {}}; }

YamlNode scalar(const std::string& text, Position at) { return {YamlNode::Kind::kScalar, at, text, true, {}, {}}; }

}  // namespace

SettingValue Shape::read_file(const YamlNode& node, const KeySpec& keys) {
  root_ = &keys;
  return read(node, {keys, {}});
}

void Shape::mistake(const Place& place, SettingValue& value, Position at, std::string sentence) {
  value.broken = true;
  mistakes_.add(at, place.path, std::move(sentence));
}

std::string Shape::subject(const Place& place, const SettingValue& value) const {
  if (place.spec.is_secret) return "the secret";
  if (value.source == SettingValue::Source::kEnvironment) return "the value of " + shown(value.raw);
  return shown(without_user(value.text));
}

void Shape::wrong(const Place& place, SettingValue& value, const std::string& problem) {
  mistake(place, value, value.at, subject(place, value) + " " + problem);
}

SettingValue Shape::read(const YamlNode& node, const Place& place) {
  SettingValue value;
  value.spec = &place.spec;
  value.at = node.at;
  value.source = place.is_default ? SettingValue::Source::kDefault : SettingValue::Source::kLiteral;
  if (node.kind == YamlNode::Kind::kNull) {
    mistake(place, value, node.at, "has no value; give it one, or remove the key");
    value.items = absent(place, node.at).items;
    return value;
  }
  switch (place.spec.type) {
    case KeyType::kMap:
      read_map(node, place, value);
      break;
    case KeyType::kMaps:
    case KeyType::kTexts:
      read_list(node, place, value);
      break;
    default:
      read_scalar(node, place, value);
  }
  return value;
}

SettingValue Shape::absent(const Place& place, Position around) {
  const KeySpec& spec = place.spec;
  const Place defaults{spec, place.path, true};
  if (spec.type == KeyType::kMap) {
    SettingValue value = read(empty_map(around), defaults);
    if (spec.is_optional_map) value.source = SettingValue::Source::kAbsent;
    return value;
  }
  if (spec.default_yaml && (spec.type == KeyType::kTexts || spec.type == KeyType::kMaps)) {
    SettingValue value = read(parse_yaml(*spec.default_yaml, mistakes_).value_or(YamlNode{}), defaults);
    value.at = around;
    return value;
  }
  if (spec.default_yaml) return read(scalar(*spec.default_yaml, around), defaults);
  SettingValue value;
  value.spec = &spec;
  value.at = around;
  return value;
}

void Shape::read_map(const YamlNode& node, const Place& place, SettingValue& value) {
  if (node.kind == YamlNode::Kind::kScalar && !place.spec.shorthand.empty()) {
    YamlNode wrapped;
    wrapped.kind = YamlNode::Kind::kMap;
    wrapped.at = node.at;
    wrapped.entries.push_back({place.spec.shorthand, node.at, node});
    read_map(wrapped, place, value);
    return;
  }
  const bool is_map = node.kind == YamlNode::Kind::kMap;
  const std::string file = place.path.empty() ? "the file " : "";
  if (!is_map) mistake(place, value, node.at, file + "must be " + kind_name(place.spec));
  if (is_map) refuse_unknown_keys(node, place, value);
  for (const KeySpec& child : place.spec.children) {
    value.items.push_back(is_map ? read_child(node, place, child)
                                 : absent({child, joined(place.path, child.name)}, node.at));
    if (value.items.back().broken) value.broken = true;
  }
}

SettingValue Shape::read_child(const YamlNode& node, const Place& place, const KeySpec& child) {
  const Place inside{child, joined(place.path, child.name), place.is_default};
  const YamlEntry* entry = find(node, child.name);
  const YamlEntry* file = child.is_secret ? find(node, child.name + "_file") : nullptr;
  if (entry != nullptr) {
    SettingValue value = read(entry->value, inside);
    if (file != nullptr)
      mistake({child, inside.path + "_file"}, value, file->key_at,
              "is given together with " + child.name + "; give one of them");
    return value;
  }
  if (file != nullptr) return read_secret_file(*file, inside);
  SettingValue value = absent(inside, node.at);
  if (child.is_required && !place.is_default)
    mistake(inside, value, node.at,
            "is missing; it must be given" + std::string(child.is_secret ? ", or " + child.name + "_file" : ""));
  return value;
}

void Shape::refuse_unknown_keys(const YamlNode& node, const Place& place, SettingValue& value) {
  std::vector<std::string> names;
  for (const KeySpec& child : place.spec.children) {
    names.push_back(child.name);
    if (child.is_secret) names.push_back(child.name + "_file");
  }
  for (const YamlEntry& entry : node.entries) {
    if (std::find(names.begin(), names.end(), entry.key) != names.end()) continue;
    std::string sentence = "is not a known key";
    const bool is_known_on_top =
        place.path.starts_with("routes[") && std::any_of(root_->children.begin(), root_->children.end(),
                                                         [&](const KeySpec& key) { return key.name == entry.key; });
    if (const auto near = nearest(entry.key, names))
      sentence += "; did you mean \"" + *near + "\"?";
    else if (is_known_on_top)
      sentence += " on a route; it is possible only at the top of the file";
    else if (names.size() <= 12)
      sentence += "; known here: " + listed(names, "and");
    else
      sentence += "; `gatehouse schema --reference` tells them all";
    const std::string key = shown(entry.key);
    mistake({place.spec, joined(place.path, key.substr(1, key.size() - 2))}, value, entry.key_at, sentence);
  }
}

SettingValue Shape::read_secret_file(const YamlEntry& entry, const Place& place) {
  static const KeySpec kPathSpec = key::text("file", std::nullopt, {}).of_format(format::kFilePath);
  const Place path_place{kPathSpec, place.path + "_file"};
  SettingValue path = read(entry.value, path_place);
  SettingValue value;
  value.spec = &place.spec;
  value.at = path.at;
  value.source = SettingValue::Source::kFile;
  value.raw = path.text;
  value.path = path.path;
  value.broken = path.broken;
  if (path.broken) return value;
  FileContent content = read_regular_file(path.path, kLargestSecret);
  if (content.problem) {
    mistake(path_place, value, path.at, subject(path_place, path) + " " + *content.problem);
    return value;
  }
  while (content.text.ends_with('\n') || content.text.ends_with('\r')) content.text.pop_back();
  value.text = std::move(content.text);
  convert_text(scalar({}, path.at), place, value);
  return value;
}

void Shape::read_list(const YamlNode& node, const Place& place, SettingValue& value) {
  const KeySpec& spec = place.spec;
  if (node.kind != YamlNode::Kind::kSequence) {
    const bool one_text = node.kind == YamlNode::Kind::kScalar && spec.type == KeyType::kTexts;
    mistake(place, value, node.at,
            one_text ? "must be a list: put the text in brackets, [...]" : "must be " + kind_name(spec));
    return;
  }
  for (const YamlNode& item : node.items) {
    value.items.push_back(
        read_item(item, {spec, place.path + "[" + std::to_string(value.items.size()) + "]", place.is_default}));
    if (value.items.back().broken) value.broken = true;
  }
  const auto count = static_cast<std::int64_t>(node.items.size());
  if (count < spec.minimum || count > spec.maximum)
    mistake(place, value, node.at, "has " + std::to_string(count) + " items; there must be " + range_text(spec));
}

SettingValue Shape::read_item(const YamlNode& node, const Place& place) {
  SettingValue value;
  value.spec = &place.spec;
  value.at = node.at;
  value.source = place.is_default ? SettingValue::Source::kDefault : SettingValue::Source::kLiteral;
  const bool is_null = node.kind == YamlNode::Kind::kNull;
  if (is_null) mistake(place, value, node.at, "has no value; give it one, or remove the item");
  if (place.spec.type == KeyType::kMaps)
    read_map(is_null ? empty_map(node.at) : node, {place.spec, place.path, place.is_default || is_null}, value);
  else if (!is_null)
    read_scalar(node, place, value);
  return value;
}

void Shape::read_scalar(const YamlNode& node, const Place& place, SettingValue& value) {
  if (node.kind != YamlNode::Kind::kScalar) {
    KeySpec spec = place.spec;
    if (spec.type == KeyType::kTexts) spec.type = KeyType::kText;
    mistake(place, value, node.at,
            "must be " + kind_name(spec) + ", not a " + (node.kind == YamlNode::Kind::kMap ? "map" : "list"));
    return;
  }
  value.text = node.text;
  if (!place.is_default) {
    Interpolated text = interpolate(node.text, environment_);
    if (text.problem) {
      mistake(place, value, node.at, *text.problem);
      return;
    }
    value.text = std::move(text.text);
    if (!text.variable.empty()) {
      value.source = SettingValue::Source::kEnvironment;
      value.raw = node.text;
    }
  }
  convert(node, place, value);
}

void Shape::convert(const YamlNode& node, const Place& place, SettingValue& value) {
  const bool is_text = place.spec.type == KeyType::kText || place.spec.type == KeyType::kTexts;
  if (is_text) return convert_text(node, place, value);
  if (value.text.empty()) return wrong(place, value, "is empty; it must be " + kind_name(place.spec));
  if (place.spec.type == KeyType::kChoice) return convert_choice(place, value);
  if (node.quoted && value.source == SettingValue::Source::kLiteral &&
      (place.spec.type == KeyType::kBoolean || place.spec.type == KeyType::kNumber ||
       place.spec.type == KeyType::kInteger) &&
      value.text != place.spec.word)
    return wrong(place, value, "is a text because of its quotes; write it without them");
  if (place.spec.type == KeyType::kNumber) return convert_number(place, value);
  if (place.spec.type != KeyType::kBoolean) return convert_amount(place, value);
  if (value.text != "true" && value.text != "false")
    return wrong(place, value, "is not a boolean: write true or false");
  value.amount = value.text == "true" ? 1 : 0;
}

void Shape::convert_text(const YamlNode& node, const Place& place, SettingValue& value) {
  const KeySpec& spec = place.spec;
  const TextFormat* format = spec.text_format;
  if (value.text.empty()) {
    if (spec.accepts_empty) return;
    if (value.source == SettingValue::Source::kLiteral) return mistake(place, value, value.at, "must not be empty");
    return wrong(place, value, "is empty");
  }
  if (!is_utf8(value.text)) return wrong(place, value, "is not valid UTF-8");
  if (has_control_characters(value.text))
    return wrong(place, value, "has a line break or another control character in it");
  if (!node.quoted && value.source == SettingValue::Source::kLiteral) {
    if (looks_boolean(value.text))
      return wrong(place, value, "is a boolean to many YAML readers; put it in quotes to mean the text");
    if (looks_numeric(value.text) && !(format != nullptr && format->may_look_like_a_number))
      return wrong(place, value, "is a number to YAML; put it in quotes to mean the text");
  }
  std::string checked = value.text;
  for (std::size_t at; spec.is_secret && (at = checked.find(kRedacted)) != std::string::npos;) {
    if (!environment_.accept_redacted)
      return mistake(place, value, value.at,
                     "holds \"<redacted>\", which print-config writes for a secret; put the secret itself there");
    if (checked == kRedacted) return;
    checked.replace(at, kRedacted.size(), "redacted");
  }
  if (format == nullptr) return;
  if (format->problem != nullptr)
    if (const auto problem = format->problem(checked)) return wrong(place, value, *problem);
  if (format->file == TextFormat::File::kNone) return;
  value.path = value.text.starts_with('/') || folder_.empty() ? value.text : folder_ + "/" + value.text;
  if (format->file == TextFormat::File::kReadable)
    if (const auto problem = unreadable(value.path)) return wrong(place, value, *problem);
}

void Shape::convert_choice(const Place& place, SettingValue& value) {
  const auto& choices = place.spec.choices;
  const auto found = std::find(choices.begin(), choices.end(), value.text);
  value.amount = found - choices.begin();
  if (found != choices.end()) return;
  value.amount = 0;
  const bool may_tell = value.source == SettingValue::Source::kLiteral;
  const auto near = may_tell ? nearest(value.text, choices) : std::nullopt;
  wrong(place, value,
        near ? "is not known; did you mean \"" + *near + "\"?" : "is not known; write " + listed(choices));
}

void Shape::convert_number(const Place& place, SettingValue& value) {
  const KeySpec& spec = place.spec;
  const std::string& text = value.text;
  const bool plain = text.find_first_not_of("0123456789.-") == std::string::npos && text != "." && text != "-" &&
                     text.front() != '.' && text.back() != '.';
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value.number);
  if (!plain || error != std::errc{} || end != text.data() + text.size()) {
    value.number = 0;
    return wrong(place, value, "is not a number such as 1 or 0.5");
  }
  if (value.number < spec.number_minimum || value.number > spec.number_maximum)
    wrong(place, value,
          "is out of range: " + format_number(spec.number_minimum) + " to " + format_number(spec.number_maximum));
}

void Shape::convert_amount(const Place& place, SettingValue& value) {
  const KeySpec& spec = place.spec;
  if (!spec.word.empty() && value.text == spec.word) return;
  Quantity quantity = spec.type == KeyType::kDuration ? parse_duration(value.text)
                      : spec.type == KeyType::kBytes  ? parse_bytes(value.text)
                                                      : parse_integer(value.text);
  if (quantity.problem && !spec.word.empty()) *quantity.problem += "; or write " + spec.word;
  if (quantity.problem) return wrong(place, value, *quantity.problem);
  if (quantity.amount < spec.minimum || quantity.amount > spec.maximum)
    return wrong(place, value, "is out of range: " + range_text(spec));
  value.amount = quantity.amount;
}

}  // namespace gatehouse
