// YAML text in, Config or every mistake out. The only door to a configuration; nothing is half applied.
#pragma once

#include "config/config.hpp"
#include "config/mistake.hpp"

#include <functional>
#include <span>
#include <variant>

namespace gatehouse {

// What a configuration may ask of the process around it.
struct Environment {
  // The value of a variable, or nothing where it is not set.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  // Takes the `<redacted>` that print-config writes for a secret: for looking at a configuration, never for serving.
  bool accept_redacted = false;
};
// The environment of this process.
Environment process_environment();

// A Config, or the mistakes (at least one) in the order of the file.
class LoadResult {
 public:
  LoadResult(Config config) : content_(std::move(config)) {}
  LoadResult(std::vector<Mistake> mistakes) : content_(std::move(mistakes)) {}
  explicit operator bool() const noexcept { return std::holds_alternative<Config>(content_); }
  Config& operator*() { return std::get<Config>(content_); }
  Config* operator->() { return &std::get<Config>(content_); }
  // Empty where there is a Config.
  std::vector<Mistake> mistakes() const;

 private:
  std::variant<Config, std::vector<Mistake>> content_;
};

// Reads `text`. `file_name` is for messages and for the folder that relative paths start from. `sections` are the
// top-level keys that the filters bring.
LoadResult load_config(std::string_view text, std::string_view file_name, std::span<const Section> sections,
                       const Environment& environment);
// The same from a file: regular, readable, of at most 1 MiB; never waits for a pipe or a device.
LoadResult load_config_file(const std::string& path, std::span<const Section> sections, const Environment& environment);

// The files the configuration came from: its own, then those that its secrets were read from.
std::vector<std::string> source_files(const Config& config);

// Whether that section is there: at the top, written or by its defaults; with the index of a route, written on it.
bool has_section(const Config& config, std::string_view name, std::optional<std::size_t> route = std::nullopt);
// A reader of that section. With a route: its keys before those at the top before the defaults; a section that is a
// list is the route's own. The name must be one of the sections that the configuration was loaded with.
OptionsReader section(const Config& config, std::string_view name, Mistakes& mistakes,
                      std::optional<std::size_t> route = std::nullopt);

}  // namespace gatehouse
