#include "config/schema.hpp"

#include "config/json_text.hpp"
#include "config/keys.hpp"
#include "config/setting_value.hpp"
#include "config/units.hpp"
#include "config/yaml_tree.hpp"

namespace gatehouse {
namespace {

// A text with a variable in it is of any type once the variable has been put in.
constexpr std::string_view kVariable = R"(\$\{)";
constexpr std::int64_t kUnbounded = std::numeric_limits<std::int64_t>::max();

void add_object(JsonObject& schema, const std::vector<KeySpec>& keys);

std::string object_schema(const std::vector<KeySpec>& keys) {
  JsonObject schema;
  add_object(schema, keys);
  return schema.text();
}

std::string reference_to(std::string_view definition) { return "#/$defs/" + std::string(definition); }

std::string or_variable(std::string schema) {
  return json_array({std::move(schema), JsonObject().add_text("$ref", reference_to("variable")).text()});
}

std::string pattern_or_variable(std::string_view pattern) {
  return "(?:" + std::string(pattern) + ")|" + std::string(kVariable);
}

void add_text(JsonObject& schema, const KeySpec& spec, const TextFormat* format) {
  const bool may_be_number = format != nullptr && format->may_look_like_a_number;
  schema.add("type", may_be_number ? json_array({"\"string\"", "\"integer\""}) : "\"string\"");
  if (!spec.accepts_empty) schema.add("minLength", "1");
  if (format == nullptr || format->pattern.empty()) return;
  std::string pattern = pattern_or_variable(format->pattern);
  if (spec.accepts_empty) pattern += "|^$";
  if (spec.is_secret) pattern += "|^" + std::string(kRedacted) + "$";
  schema.add_text("pattern", pattern);
  if (may_be_number) schema.add("minimum", "100").add("maximum", "599");
}

void add_items(JsonObject& schema, const KeySpec& spec, std::string items) {
  schema.add_text("type", "array").add("items", std::move(items));
  if (spec.minimum > 0) schema.add("minItems", std::to_string(spec.minimum));
  if (spec.maximum != kUnbounded) schema.add("maxItems", std::to_string(spec.maximum));
}

std::string bounded(std::string_view type, const std::string& minimum, const std::string& maximum) {
  JsonObject schema;
  schema.add_text("type", type).add("minimum", minimum);
  if (!maximum.empty()) schema.add("maximum", maximum);
  return schema.text();
}

void add_integer(JsonObject& schema, const KeySpec& spec) {
  const std::string maximum = spec.maximum == kUnbounded ? "" : std::to_string(spec.maximum);
  std::vector<std::string> choices{bounded("integer", std::to_string(spec.minimum), maximum)};
  if (!spec.word.empty()) choices.push_back(JsonObject().add_text("const", spec.word).text());
  choices.push_back(JsonObject().add_text("$ref", reference_to("variable")).text());
  schema.add("anyOf", json_array(choices));
}

void add_choice(JsonObject& schema, const KeySpec& spec) {
  std::vector<std::string> words;
  for (const std::string& choice : spec.choices) words.push_back(json_string(choice));
  schema.add("anyOf", or_variable(JsonObject().add("enum", json_array(words)).text()));
}

void add_type(JsonObject& schema, const KeySpec& spec) {
  switch (spec.type) {
    case KeyType::kText:
      return add_text(schema, spec, spec.text_format);
    case KeyType::kBoolean:
      schema.add("anyOf", or_variable(JsonObject().add_text("type", "boolean").text()));
      return;
    case KeyType::kInteger:
      return add_integer(schema, spec);
    case KeyType::kNumber: {
      const bool is_bounded = spec.number_maximum < std::numeric_limits<double>::max();
      const std::string maximum = is_bounded ? format_number(spec.number_maximum) : "";
      schema.add("anyOf", or_variable(bounded("number", format_number(spec.number_minimum), maximum)));
      return;
    }
    case KeyType::kDuration:
      schema.add_text("$ref", reference_to("duration"));
      return;
    case KeyType::kBytes:
      schema.add_text("$ref", reference_to("size"));
      return;
    case KeyType::kChoice:
      return add_choice(schema, spec);
    case KeyType::kTexts: {
      JsonObject item;
      add_text(item, spec, spec.text_format);
      return add_items(schema, spec, item.text());
    }
    case KeyType::kMap: {
      for (const KeySpec& child : spec.children) {
        if (child.name != spec.shorthand) continue;
        JsonObject alone;
        add_type(alone, child);
        schema.add("anyOf", json_array({alone.text(), object_schema(spec.children)}));
        return;
      }
      return add_object(schema, spec.children);
    }
    case KeyType::kMaps:
      return add_items(schema, spec, object_schema(spec.children));
  }
}

// The default as JSON: lists and maps are texts all the way down.
std::string as_json(const YamlNode& node) {
  std::vector<std::string> items;
  JsonObject object;
  switch (node.kind) {
    case YamlNode::Kind::kScalar:
      return json_string(node.text);
    case YamlNode::Kind::kSequence:
      for (const YamlNode& item : node.items) items.push_back(as_json(item));
      return json_array(items);
    case YamlNode::Kind::kMap:
      for (const YamlEntry& entry : node.entries) object.add(entry.key, as_json(entry.value));
      return object.text();
    case YamlNode::Kind::kNull:
      break;
  }
  return "null";
}

std::string default_json(const KeySpec& spec) {
  const std::string& text = *spec.default_yaml;
  const bool is_number = spec.type == KeyType::kInteger || spec.type == KeyType::kNumber;
  if (spec.type == KeyType::kBoolean || (is_number && text != spec.word)) return text;
  if (spec.type != KeyType::kTexts && spec.type != KeyType::kMaps) return json_string(text);
  Mistakes none("default");
  return as_json(parse_yaml(text, none).value_or(YamlNode{}));
}

std::string key_schema(const KeySpec& spec) {
  JsonObject schema;
  schema.add_text("description", spec.doc);
  add_type(schema, spec);
  if (spec.default_yaml) schema.add("default", default_json(spec));
  return schema.text();
}

std::string secret_file_schema(const KeySpec& spec) {
  return JsonObject()
      .add_text("description", "Path of a file that holds it. " + spec.doc)
      .add_text("type", "string")
      .add("minLength", "1")
      .text();
}

std::string required(const std::vector<std::string>& names) {
  std::vector<std::string> texts;
  for (const std::string& name : names) texts.push_back(json_string(name));
  return json_array(texts);
}

void add_object(JsonObject& schema, const std::vector<KeySpec>& keys) {
  JsonObject properties;
  std::vector<std::string> needed, rules;
  for (const KeySpec& spec : keys) {
    properties.add(spec.name, key_schema(spec));
    if (!spec.is_secret) {
      if (spec.is_required) needed.push_back(spec.name);
      continue;
    }
    const std::string file = spec.name + "_file";
    properties.add(file, secret_file_schema(spec));
    // Exactly one, or at most one.
    const std::string plain = JsonObject().add("required", required({spec.name})).text();
    const std::string from_file = JsonObject().add("required", required({file})).text();
    const std::string both = JsonObject().add("required", required({spec.name, file})).text();
    rules.push_back(spec.is_required ? JsonObject().add("oneOf", json_array({plain, from_file})).text()
                                     : JsonObject().add("not", both).text());
  }
  schema.add_text("type", "object").add("additionalProperties", "false");
  if (!needed.empty()) schema.add("required", required(needed));
  if (!rules.empty()) schema.add("allOf", json_array(rules));
  schema.add("properties", properties.text());
}

std::string text_definition(std::string_view doc, std::string_view pattern) {
  return JsonObject().add_text("description", doc).add_text("type", "string").add_text("pattern", pattern).text();
}

}  // namespace

std::string json_schema(std::span<const Section> sections) {
  const KeySpec keys = file_keys(sections);
  JsonObject definitions;
  definitions
      .add("duration",
           text_definition("A duration such as 250ms, 5s, 1m30s or 1h.", pattern_or_variable(kDurationPattern)))
      .add("size", text_definition("A size such as 512B, 16KiB or 10MiB.", pattern_or_variable(kBytesPattern)))
      .add("variable",
           text_definition("A text with environment variables: ${NAME}, ${NAME:-default} or ${NAME:?message}.",
                           kVariable));
  JsonObject schema;
  schema.add_text("$schema", "https://json-schema.org/draft/2020-12/schema")
      .add_text("title", "Configuration of Gatehouse")
      .add("$defs", definitions.text());
  add_object(schema, keys.children);
  return schema.text() + "\n";
}

}  // namespace gatehouse
