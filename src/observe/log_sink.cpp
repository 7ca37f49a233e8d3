#include "observe/log_sink.hpp"

#include <utility>

namespace gatehouse {

std::string_view level_name(spdlog::level::level_enum level) noexcept {
  switch (level) {
    case spdlog::level::trace:
      return "trace";
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::info:
      return "info";
    case spdlog::level::warn:
      return "warn";
    case spdlog::level::err:
      return "error";
    case spdlog::level::critical:
      return "critical";
    default:
      return "off";
  }
}

std::optional<spdlog::level::level_enum> level_of_name(std::string_view name) noexcept {
  for (const auto level : {spdlog::level::trace, spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                           spdlog::level::err, spdlog::level::off})
    if (level_name(level) == name) return level;
  return std::nullopt;
}

LogSink::LogSink(std::shared_ptr<LogQueue> queue, LogFormat format, std::shared_ptr<const Redactor> redactor)
    : queue_(std::move(queue)), format_(format), redactor_(std::move(redactor)) {}

void LogSink::write(const LogLine& line) {
  std::string text;
  write_log_line(line, format_, *redactor(), text);
  queue_->push_line(text);
}

std::shared_ptr<const Redactor> LogSink::redactor() const {
  const std::lock_guard lock(mutex_);
  return redactor_;
}

void LogSink::set_redactor(std::shared_ptr<const Redactor> redactor) {
  const std::lock_guard lock(mutex_);
  redactor_ = std::move(redactor);
}

void LogSink::log(const spdlog::details::log_msg& message) {
  write({message.time,
         level_name(message.level),
         {message.logger_name.data(), message.logger_name.size()},
         {message.payload.data(), message.payload.size()},
         {}});
}

}  // namespace gatehouse
