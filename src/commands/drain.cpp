#include "commands/drain.hpp"

#include "commands/admin_client.hpp"
#include "config/load.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

namespace gatehouse {
namespace {

constexpr int kFailed = 1;
constexpr int kConfiguration = 2;
constexpr std::chrono::seconds kMargin{5};

int drain(const std::string& file, std::span<const Section> sections) {
  LoadResult loaded = load_config_file(file, sections, process_environment());
  for (const Mistake& mistake : loaded.mistakes()) std::cerr << to_string(mistake) << '\n';
  if (!loaded) return kConfiguration;
  const auto longest = loaded->shutdown.linger + loaded->shutdown.deadline + kMargin;
  const auto answer = ask_admin(loaded->admin.address, "POST", "/drain", std::chrono::duration_cast<std::chrono::milliseconds>(longest));
  if (answer && answer->status == 200) return 0;
  std::cerr << "gatehouse drain: " << to_string(loaded->admin.address) << ": "
            << (!answer                   ? explain_no_answer(answer.error())
                : answer->status == 503 ? "some requests are still being answered after shutdown.deadline"
                                        : "answered " + std::to_string(answer->status))
            << '\n';
  return kFailed;
}

}  // namespace

void add_drain(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand("drain", "Take a running Gatehouse out of service, as a preStop hook does");
  const auto file = std::make_shared<std::string>("gatehouse.yaml");
  verb->add_option("-c,--config", *file, "Configuration file of the running Gatehouse")->capture_default_str();
  verb->footer("/readyz fails at once; after shutdown.linger idle connections and WebSockets are closed; returns when no request is under way, or\n"
               "after shutdown.deadline. Whoever still comes is answered and told to close. Exit code 0: it is safe to stop, 1: it is not, or\n"
               "Gatehouse did not answer, 2: the configuration has mistakes.");
  verb->callback([file, &line] { line.exit_code = drain(*file, line.sections); });
}

}  // namespace gatehouse
