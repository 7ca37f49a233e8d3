// One setting as it was written and read: what OptionsReader reads and print-config prints. A tree of the shape of the
// declared keys, complete: what the user left out is there with its default.
#pragma once

#include "config/mistake.hpp"

#include <gatehouse/options.hpp>

#include <string>
#include <vector>

namespace gatehouse {

struct SettingValue {
  enum class Source : std::uint8_t { kAbsent, kDefault, kLiteral, kEnvironment, kFile };

  const KeySpec* spec = nullptr;  // in the LoadedSettings that owns this value
  Position at;
  Source source = Source::kAbsent;
  bool broken = false;              // a mistake was reported, here or below
  std::string text;                 // kText, kChoice
  std::int64_t amount = 0;          // kBoolean, kInteger, kDuration, kBytes; kChoice: index
  double number = 0;                // kNumber
  std::vector<SettingValue> items;  // kMap: one for each child of the spec, in that order; kTexts, kMaps: the items
  std::string raw;                  // kEnvironment: before the variables were put in; kFile: the path as written
  std::string path;                 // a text that is the path of a file, or (kFile) of the file it came from: made absolute

  bool is_given() const noexcept { return source > Source::kDefault; }
  bool is_there() const noexcept { return source != Source::kAbsent; }
  // Of a map; null: its declaration has no such key.
  const SettingValue* child(std::string_view name) const noexcept;
};

// A whole configuration file as read, with the declarations that the values point to.
struct LoadedSettings {
  std::string file;
  KeySpec keys;  // the file as one map: core keys, then the sections of the filters
  SettingValue values;
};

// What print-config writes for a secret.
constexpr std::string_view kRedacted = "<redacted>";

}  // namespace gatehouse
