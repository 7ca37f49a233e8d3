#include "observe/logging.hpp"

#include "observe/log_sink.hpp"
#include "observe/log_writer.hpp"

#include <unistd.h>

#include <utility>

namespace gatehouse {
namespace {

result<LogOutput> open_output(const std::string& name) {
  if (name == "stdout") return LogOutput::to_descriptor(STDOUT_FILENO);
  if (name == "stderr") return LogOutput::to_descriptor(STDERR_FILENO);
  return LogOutput::to_file(name);
}

}  // namespace

Logger::Logger(std::string component, std::shared_ptr<LogSink> sink)
    : spdlog::logger(std::move(component), sink), sink_(std::move(sink)) {}

void Logger::event(spdlog::level::level_enum level, std::string_view message, std::span<const LogField> fields) {
  if (!should_log(level)) return;
  sink_->write({std::chrono::system_clock::now(), level_name(level), name(), message, fields});
}

Logging::Logging() = default;

result<std::unique_ptr<Logging>> Logging::start(const LoggingOptions& options,
                                                std::shared_ptr<const Redactor> redactor) {
  auto output = open_output(options.output);
  if (!output) return output.error();
  std::unique_ptr<Logging> logging(new Logging);
  logging->format_ =
      options.format == LogFormat::kText && output->terminal() ? LogFormat::kColoredText : options.format;
  logging->level_ = options.level;
  logging->levels_ = options.levels;
  logging->queue_ = std::make_shared<LogQueue>(options.queue_bytes, options.overflow);
  logging->sink_ = std::make_shared<LogSink>(logging->queue_, logging->format_, redactor);
  const auto dropped_line = [format = logging->format_, redactor](std::string& out, std::uint64_t count) {
    const LogField fields[] = {{"count", count}};
    write_log_line({std::chrono::system_clock::now(), "warn", "log", "log lines dropped", fields}, format, *redactor,
                   out);
  };
  logging->writer_ = std::make_unique<LogWriter>(*logging->queue_, std::move(*output), dropped_line);
  return logging;
}

Logging::~Logging() { stop(std::chrono::seconds(1)); }

std::shared_ptr<Logger> Logging::logger(std::string_view component) {
  const std::lock_guard lock(mutex_);
  if (const auto found = loggers_.find(component); found != loggers_.end()) return found->second;
  auto logger = std::make_shared<Logger>(std::string(component), sink_);
  const auto own = levels_.find(component);
  logger->set_level(own == levels_.end() ? level_ : own->second);
  loggers_.emplace(component, logger);
  return logger;
}

void Logging::set_level(spdlog::level::level_enum level) {
  const std::lock_guard lock(mutex_);
  level_ = level;
  for (const auto& [component, logger] : loggers_)
    if (!levels_.contains(component)) logger->set_level(level);
}

void Logging::set_level(std::string_view component, spdlog::level::level_enum level) {
  const std::lock_guard lock(mutex_);
  levels_.insert_or_assign(std::string(component), level);
  if (const auto found = loggers_.find(component); found != loggers_.end()) found->second->set_level(level);
}

void Logging::set_levels(LogLevels levels) {
  const std::lock_guard lock(mutex_);
  level_ = levels.level;
  levels_ = std::move(levels.components);
  for (const auto& [component, logger] : loggers_) {
    const auto own = levels_.find(component);
    logger->set_level(own == levels_.end() ? level_ : own->second);
  }
}

LogLevels Logging::levels() const {
  const std::lock_guard lock(mutex_);
  return {level_, levels_};
}

std::shared_ptr<const Redactor> Logging::redactor() const { return sink_->redactor(); }

void Logging::set_redactor(std::shared_ptr<const Redactor> redactor) { sink_->set_redactor(std::move(redactor)); }

void Logging::reopen() { writer_->reopen(); }

void Logging::stop(std::chrono::milliseconds patience) { writer_->stop(patience); }

Logging::Counters Logging::counters() const {
  return {queue_->dropped_lines(), writer_->written_bytes(), writer_->write_errors(), writer_->reopen_errors(),
          queue_->waiting_bytes()};
}

}  // namespace gatehouse
