#include "config/units.hpp"

#include <gatehouse/options.hpp>

#include <stdexcept>

namespace gatehouse {
namespace {

KeySpec made(std::string_view name, KeyType type, std::string_view doc) {
  KeySpec spec;
  spec.name = name;
  spec.type = type;
  spec.doc = doc;
  return spec;
}

// The way back from a list to YAML; the items of a default are plain words that need no escapes.
std::string as_yaml(const std::vector<std::string>& items) {
  std::string yaml = "[";
  for (const std::string& item : items) yaml += (yaml.size() > 1 ? ", \"" : "\"") + item + "\"";
  return yaml + "]";
}

}  // namespace

KeySpec KeySpec::within(std::int64_t low, std::int64_t high) && {
  minimum = low;
  maximum = high;
  // A list that must hold something is absent by default, not empty.
  if (low > 0 && default_yaml == "[]") default_yaml.reset();
  return std::move(*this);
}
KeySpec KeySpec::within(std::chrono::milliseconds low, std::chrono::milliseconds high) && {
  return std::move(*this).within(low.count(), high.count());
}
KeySpec KeySpec::within_numbers(double low, double high) && {
  number_minimum = low;
  number_maximum = high;
  return std::move(*this);
}
KeySpec KeySpec::of_format(const TextFormat& wanted) && {
  text_format = &wanted;
  return std::move(*this);
}
KeySpec KeySpec::secret() && {
  if (type != KeyType::kText) throw std::logic_error("only a text can be secret: " + name);
  is_secret = true;
  return std::move(*this);
}
KeySpec KeySpec::required() && {
  is_required = true;
  return std::move(*this);
}
KeySpec KeySpec::optional() && {
  is_optional_map = true;
  return std::move(*this);
}
KeySpec KeySpec::may_be_empty() && {
  accepts_empty = true;
  return std::move(*this);
}
KeySpec KeySpec::or_word(std::string_view text) && {
  word = text;
  return std::move(*this);
}
KeySpec KeySpec::or_just(std::string_view key) && {
  shorthand = key;
  return std::move(*this);
}
KeySpec KeySpec::with_default_yaml(std::string_view yaml) && {
  default_yaml = yaml;
  return std::move(*this);
}

namespace key {

KeySpec text(std::string_view name, std::optional<std::string_view> default_text, std::string_view doc) {
  KeySpec spec = made(name, KeyType::kText, doc);
  spec.default_yaml = default_text;
  spec.accepts_empty = default_text && default_text->empty();
  return spec;
}
KeySpec boolean(std::string_view name, bool default_value, std::string_view doc) {
  return made(name, KeyType::kBoolean, doc).with_default_yaml(default_value ? "true" : "false");
}
KeySpec integer(std::string_view name, std::optional<std::int64_t> default_value, std::string_view doc) {
  KeySpec spec = made(name, KeyType::kInteger, doc);
  if (default_value) spec.default_yaml = std::to_string(*default_value);
  return spec;
}
KeySpec number(std::string_view name, std::optional<double> default_value, std::string_view doc) {
  KeySpec spec = made(name, KeyType::kNumber, doc);
  if (default_value) spec.default_yaml = format_number(*default_value);
  return spec;
}
KeySpec duration(std::string_view name, std::optional<std::chrono::milliseconds> default_value, std::string_view doc) {
  KeySpec spec = made(name, KeyType::kDuration, doc);
  if (default_value) spec.default_yaml = format_duration(*default_value);
  return spec;
}
KeySpec bytes(std::string_view name, std::optional<Bytes> default_value, std::string_view doc) {
  KeySpec spec = made(name, KeyType::kBytes, doc);
  if (default_value) spec.default_yaml = format_bytes(*default_value);
  return spec;
}
KeySpec choice(std::string_view name, std::vector<std::string> choices, std::optional<std::string_view> default_choice,
               std::string_view doc) {
  KeySpec spec = made(name, KeyType::kChoice, doc);
  spec.choices = std::move(choices);
  spec.default_yaml = default_choice;
  return spec;
}
KeySpec texts(std::string_view name, const std::vector<std::string>& default_items, std::string_view doc) {
  return made(name, KeyType::kTexts, doc).with_default_yaml(as_yaml(default_items));
}
KeySpec map(std::string_view name, std::vector<KeySpec> children, std::string_view doc) {
  KeySpec spec = made(name, KeyType::kMap, doc);
  spec.children = std::move(children);
  return spec;
}
KeySpec maps(std::string_view name, std::vector<KeySpec> children, std::string_view doc) {
  KeySpec spec = made(name, KeyType::kMaps, doc).with_default_yaml("[]");
  spec.children = std::move(children);
  return spec;
}

}  // namespace key
}  // namespace gatehouse
