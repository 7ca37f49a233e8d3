#include "commands/redact.hpp"

#include "observe/redact_filter.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <csignal>
#include <iostream>
#include <map>
#include <memory>

namespace gatehouse {
namespace {

struct Choices {
  RedactOptions redact;
  bool wrap = false;
};

int redact(const Choices& choices) {
  std::string problem;
  const auto redactor = Redactor::make(choices.redact, problem);
  if (!redactor) {
    std::cerr << "gatehouse redact: " << problem << '\n';
    return 2;
  }
  // A reader that left is told by write(), not by a signal.
  std::signal(SIGPIPE, SIG_IGN);
  const AppLogForm form = choices.wrap ? AppLogForm::kJsonLines : AppLogForm::kAsWritten;
  const error_code error = redact_stream(STDIN_FILENO, STDOUT_FILENO, redactor, form);
  if (!error) return 0;
  std::cerr << "gatehouse redact: " << error.message() << '\n';
  return 1;
}

}  // namespace

void add_redact(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand("redact", "Copy standard input to standard output without its secrets");
  const auto choices = std::make_shared<Choices>();
  const std::map<std::string, RedactAction> actions{
      {"replace", RedactAction::kReplace}, {"hash", RedactAction::kHash}, {"mask", RedactAction::kMask}};
  verb->add_flag("--wrap", choices->wrap, "Turn text and tracebacks into JSON lines with time and level");
  verb->add_option("--name", choices->redact.names, "A further name whose values are secret; may be repeated");
  verb->add_option("--pattern", choices->redact.patterns,
                   "A regular expression (RE2) whose first group, or whole match, is secret");
  verb->add_option("--action", choices->redact.action, "What takes a secret's place: replace, hash or mask")
      ->transform(CLI::CheckedTransformer(actions, CLI::ignore_case));
  verb->add_flag("--emails", choices->redact.emails, "Hide e-mail addresses too");
  verb->footer(
      "For instance: uvicorn app:app 2>&1 | gatehouse redact. Lists only extend what is built in. Exit code 0: all "
      "copied, 1: reading or writing failed, 2: usage.");
  verb->callback([choices, &line] { line.exit_code = redact(*choices); });
}

}  // namespace gatehouse
