#include "commands/healthcheck.hpp"

#include "app/settings.hpp"
#include "config/load.hpp"
#include "net/task_group.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>
#include <memory>

namespace gatehouse {
namespace {

struct Question {
  std::string file = "gatehouse.yaml";
  std::string path = "/readyz";
  unsigned timeout_ms = 3000;
};

constexpr int kFailed = 1;
constexpr int kConfiguration = 2;

// One probe of the admin address is what a health check is; the prober knows how to do that.
int healthcheck(const Question& question, std::span<const Section> sections) {
  LoadResult loaded = load_config_file(question.file, sections, process_environment());
  for (const Mistake& mistake : loaded.mistakes()) std::cerr << to_string(mistake) << '\n';
  if (!loaded) return kConfiguration;
  const Address& admin = loaded->admin.address;
  upstream::ClusterSettings cluster;
  cluster.host = admin.host == "0.0.0.0" ? "127.0.0.1" : admin.host == "::" ? "::1" : admin.host;
  cluster.port = admin.port;
  cluster.unix_path = admin.unix_path;
  cluster.authority = "localhost";
  cluster.connect_timeout = std::chrono::milliseconds(question.timeout_ms);
  upstream::ProberSettings settings;
  settings.path = question.path;
  settings.timeout = std::chrono::milliseconds(question.timeout_ms);
  settings.fall = 1;
  settings.expected = {{200, 299}};

  boost::asio::io_context io{1};
  net::TimerWheel wheel(io);
  observe::SeriesBudget budget;
  observe::WorkerMetrics metrics{budget};
  upstream::SharedConnections connections;
  observe::HealthBoard board;
  const std::size_t check = board.add("gatehouse", "http", true);
  std::unique_ptr<upstream::Prober> prober;
  std::string problem;
  prober = std::make_unique<upstream::Prober>(
      io, std::make_unique<upstream::Cluster>(io, wheel, cluster, metrics, connections), settings, board, check,
      [&](bool, const std::string& error) {
        problem = error;
        prober->stop();
      });
  net::TaskGroup tasks(io, [&](const std::string& what) { problem = what; });
  tasks.spawn(prober->run());
  tasks.when_empty([&io] { io.stop(); });
  io.run();
  if (board.overall() == observe::Health::kPass) return 0;
  std::cerr << "gatehouse healthcheck: " << question.path << " of the admin address " << to_string(admin) << ' '
            << (problem.empty() ? "did not answer" : problem) << '\n';
  return kFailed;
}

}  // namespace

void add_healthcheck(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand("healthcheck", "Ask a running Gatehouse whether it is ready");
  const auto question = std::make_shared<Question>();
  verb->add_option("-c,--config", question->file, "Configuration file of the running Gatehouse")->capture_default_str();
  verb->add_option("--path", question->path, "Admin endpoint to ask")->capture_default_str();
  verb->add_option("--timeout", question->timeout_ms, "Milliseconds to wait")->capture_default_str();
  verb->footer("Exit code 0: healthy, 1: not, 2: the configuration has mistakes.");
  verb->callback([question, &line] { line.exit_code = healthcheck(*question, line.sections); });
}

}  // namespace gatehouse
