#include "commands/run.hpp"

#include "app/application.hpp"
#include "config/load.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <climits>
#include <iostream>
#include <memory>
#include <unistd.h>

namespace gatehouse {
namespace {

constexpr int kConfiguration = 2;

int run(const std::string& file, std::span<const Section> sections) {
  LoadResult loaded = load_config_file(file, sections, process_environment());
  for (const Mistake& mistake : loaded.mistakes()) std::cerr << to_string(mistake) << '\n';
  if (!loaded) return kConfiguration;
  // Of the file itself, before another one takes its place.
  std::array<char, PATH_MAX> self{};
  const ssize_t length = ::readlink("/proc/self/exe", self.data(), self.size() - 1);
  const std::string program(self.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  return Application(std::move(*loaded), {[file, sections] { return load_config_file(file, sections, process_environment()); },
                                          {program, "run", "--config", file},
                                          {}})
      .run();
}

}  // namespace

void add_run(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand("run", "Serve the app as the configuration says");
  const auto file = std::make_shared<std::string>("gatehouse.yaml");
  verb->add_option("-c,--config", *file, "Configuration file")->capture_default_str();
  verb->footer("SIGHUP or a change of the file loads the configuration anew. SIGTERM or SIGINT ends it in order: exit code 0. Exit code 2: the\n"
               "configuration has mistakes.");
  verb->callback([file, &line] { line.exit_code = run(*file, line.sections); });
}

}  // namespace gatehouse
