#include "config/load.hpp"

#include "config/bind.hpp"
#include "config/keys.hpp"
#include "config/shape.hpp"
#include "config/source_text.hpp"

#include <cstdlib>
#include <stdexcept>

namespace gatehouse {
namespace {

std::string folder_of(std::string_view file_name) {
  const std::size_t slash = file_name.rfind('/');
  return slash == std::string_view::npos ? std::string{} : std::string(file_name.substr(0, slash));
}

// A section that is no map is read through the map around it.
OptionsReader section_reader(const LoadedSettings& settings, std::string_view name, std::optional<std::size_t> route,
                             Mistakes& mistakes) {
  const SettingValue& top = settings.values;
  const SettingValue* whole = top.child(name);
  if (whole == nullptr) throw std::logic_error("no section is called " + std::string(name));
  const bool is_map = whole->spec->type == KeyType::kMap;
  if (!route) return {is_map ? *whole : top, nullptr, is_map ? std::string(name) : std::string{}, mistakes};
  const SettingValue& around = top.child("routes")->items.at(*route);
  const std::string path = "routes[" + std::to_string(*route) + "]";
  const SettingValue* own = around.child(name);
  if (own == nullptr) throw std::logic_error("the section " + std::string(name) + " is not possible on a route");
  if (!is_map) return {around, nullptr, path, mistakes};
  return {*own, whole, path + "." + std::string(name), mistakes};
}

void require_keys(const SettingValue& own, const SettingValue& whole, const KeySpec& spec, const std::string& path,
                  Mistakes& mistakes) {
  for (const KeySpec& child : spec.children)
    if (child.is_required && !own.child(child.name)->is_given() && !whole.child(child.name)->is_given())
      mistakes.add(own.at, path + "." + child.name, "is missing; it must be given, here or at the top of the file");
}

void check_sections(const LoadedSettings& settings, std::span<const Section> sections, Mistakes& mistakes) {
  const auto check = [&](const Section& section, std::optional<std::size_t> route) {
    if (!section.check) return;
    OptionsReader reader = section_reader(settings, section.spec.name, route, mistakes);
    section.check(reader);
  };
  const std::vector<SettingValue>& routes = settings.values.child("routes")->items;
  for (const Section& section : sections) {
    const SettingValue& whole = *settings.values.child(section.spec.name);
    if (!whole.broken && whole.is_there()) check(section, std::nullopt);
    for (std::size_t i = 0; section.per_route && i < routes.size(); ++i) {
      const SettingValue* own = routes[i].child(section.spec.name);
      if (own == nullptr || !own->is_given() || own->broken || whole.broken) continue;
      const std::size_t before = mistakes.count();
      if (section.spec.type == KeyType::kMap)
        require_keys(*own, whole, section.spec, "routes[" + std::to_string(i) + "]." + section.spec.name, mistakes);
      if (mistakes.count() == before) check(section, i);
    }
  }
}

void add_secret_files(const SettingValue& value, std::vector<std::string>& files) {
  if (value.source == SettingValue::Source::kFile && !value.path.empty()) files.push_back(value.path);
  for (const SettingValue& item : value.items) add_secret_files(item, files);
}

bool is_empty(const YamlNode& node) { return node.kind == YamlNode::Kind::kNull; }

}  // namespace

Environment process_environment() {
  return {[](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            if (value == nullptr) return std::nullopt;
            return value;
          },
          false};
}

std::vector<Mistake> LoadResult::mistakes() const {
  const auto* list = std::get_if<std::vector<Mistake>>(&content_);
  return list == nullptr ? std::vector<Mistake>{} : *list;
}

LoadResult load_config(std::string_view text, std::string_view file_name, std::span<const Section> sections,
                       const Environment& environment) {
  Mistakes mistakes{std::string(file_name)};
  const auto yaml = yaml_text(text, mistakes);
  if (!yaml) return mistakes.sorted();
  const auto tree = parse_yaml(*yaml, mistakes);
  if (!tree) return mistakes.sorted();
  if (is_empty(*tree)) {
    mistakes.add({1, 1}, {}, "the file is empty; it must hold at least: upstream: http://127.0.0.1:8000");
    return mistakes.sorted();
  }
  const auto settings = std::make_shared<LoadedSettings>();
  settings->file = file_name;
  settings->keys = file_keys(sections);
  settings->values = Shape(environment, folder_of(file_name), mistakes).read_file(*tree, settings->keys);
  Config config = bind(*settings, mistakes);
  check_sections(*settings, sections, mistakes);
  if (mistakes.count() > 0) return mistakes.sorted();
  config.settings = settings;
  return config;
}

LoadResult load_config_file(const std::string& path, std::span<const Section> sections,
                            const Environment& environment) {
  FileContent content = read_regular_file(path, kLargestConfiguration);
  if (!content.problem) return load_config(content.text, path, sections, environment);
  Mistakes mistakes(path);
  mistakes.add({}, {}, *content.problem);
  return mistakes.sorted();
}

std::vector<std::string> source_files(const Config& config) {
  std::vector<std::string> files{config.settings->file};
  add_secret_files(config.settings->values, files);
  return files;
}

bool has_section(const Config& config, std::string_view name, std::optional<std::size_t> route) {
  const SettingValue& top = config.settings->values;
  const SettingValue* value = route ? top.child("routes")->items.at(*route).child(name) : top.child(name);
  return value != nullptr && (route ? value->is_given() : value->is_there());
}

OptionsReader section(const Config& config, std::string_view name, Mistakes& mistakes,
                      std::optional<std::size_t> route) {
  return section_reader(*config.settings, name, route, mistakes);
}

}  // namespace gatehouse
