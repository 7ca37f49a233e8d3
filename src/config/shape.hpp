// From what was written to what was declared: known keys, right types, units, ranges, variables and secret files put
// in, defaults filled in. Every departure is a mistake with its place.
#pragma once

#include "config/interpolate.hpp"
#include "config/setting_value.hpp"
#include "config/yaml_tree.hpp"

namespace gatehouse {

class Shape {
 public:
  // `folder`: where relative paths start; empty: the working directory.
  Shape(const Environment& environment, std::string folder, Mistakes& mistakes)
      : environment_(environment), folder_(std::move(folder)), mistakes_(mistakes) {}

  // The value of a whole file. `keys` must outlive what is returned.
  SettingValue read_file(const YamlNode& node, const KeySpec& keys);

 private:
  struct Place {
    const KeySpec& spec;
    std::string path;
    bool is_default = false;
  };

  SettingValue read(const YamlNode& node, const Place& place);
  SettingValue absent(const Place& place, Position around);
  void read_map(const YamlNode& node, const Place& place, SettingValue& value);
  SettingValue read_item(const YamlNode& node, const Place& place);
  void read_list(const YamlNode& node, const Place& place, SettingValue& value);
  void read_scalar(const YamlNode& node, const Place& place, SettingValue& value);
  SettingValue read_child(const YamlNode& node, const Place& place, const KeySpec& child);
  SettingValue read_secret_file(const YamlEntry& entry, const Place& place);
  void refuse_unknown_keys(const YamlNode& node, const Place& place, SettingValue& value);
  void convert(const YamlNode& node, const Place& place, SettingValue& value);
  void convert_text(const YamlNode& node, const Place& place, SettingValue& value);
  void convert_choice(const Place& place, SettingValue& value);
  void convert_number(const Place& place, SettingValue& value);
  void convert_amount(const Place& place, SettingValue& value);
  void mistake(const Place& place, SettingValue& value, Position at, std::string sentence);
  // The value of a scalar as the subject of a sentence, without what may be secret.
  std::string subject(const Place& place, const SettingValue& value) const;
  void wrong(const Place& place, SettingValue& value, const std::string& problem);

  const Environment& environment_;
  std::string folder_;
  Mistakes& mistakes_;
  const KeySpec* root_ = nullptr;
};

}  // namespace gatehouse
