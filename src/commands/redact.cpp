#include "commands/redact.hpp"

#include "observe/redact_stream.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <memory>
#include <unistd.h>

namespace gatehouse {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

int redact(const RedactOptions& options) {
  std::string problem;
  const auto redactor = Redactor::make(options, problem);
  if (!redactor) {
    std::cerr << "gatehouse redact: " << problem << '\n';
    return kUsage;
  }
  // A reader that left is told by write(), not by a signal.
  std::signal(SIGPIPE, SIG_IGN);
  return redact_stream(STDIN_FILENO, STDOUT_FILENO, *redactor) ? 0 : kFailed;
}

}  // namespace

void add_redact(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand("redact", "Take the secrets out of log lines: standard input to standard output");
  const auto options = std::make_shared<RedactOptions>();
  verb->add_option("--name", options->names, "A further name whose values are hidden, as `ssn`; may be repeated");
  verb->add_option("--pattern", options->patterns, "A further RE2 pattern whose matches are hidden; may be repeated");
  verb->add_flag("--emails", options->emails, "Hide e-mail addresses too");
  verb->footer("For instance: uvicorn app:app 2>&1 | gatehouse redact. Exit code 0: all was written, 1: writing failed, 2: usage.");
  verb->callback([options, &line] { line.exit_code = redact(*options); });
}

}  // namespace gatehouse
