// A YAML document as a tree of texts with positions. YAML's own ideas of what a text means (booleans, octal numbers,
// dates) are left out: the declared type of a key decides. yaml-cpp stays inside yaml_tree.cpp.
#pragma once

#include "config/mistake.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };
  Kind kind = Kind::kNull;
  Position at;
  std::string text;     // kScalar
  bool quoted = false;  // kScalar: in quotes, or a block
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;
};

struct YamlEntry {
  std::string key;
  Position key_at;
  YamlNode value;
};

// The one document in `text`, or what is wrong with it. Refuses anchors, aliases, tags, further documents, keys that
// are no text, keys given twice, and nesting or sizes that no configuration has.
std::optional<YamlNode> parse_yaml(std::string_view text, Mistakes& mistakes);

}  // namespace gatehouse
