#include "app/log_sink.hpp"

#include "observe/json_writer.hpp"

#include <spdlog/sinks/sink.h>

namespace gatehouse {
namespace {

class QueueSink final : public spdlog::sinks::sink {
 public:
  QueueSink(LogQueue& queue, std::shared_ptr<const Redactor> redactor, LogFormatSetting format)
      : queue_(queue), redactor_(std::move(redactor)), format_(format) {}

  void log(const spdlog::details::log_msg& message) override {
    std::string scratch;
    std::string line;
    const auto text = redactor_->text({message.payload.data(), message.payload.size()}, scratch);
    const auto level = spdlog::level::to_string_view(message.level);
    if (format_ == LogFormatSetting::kJson) {
      JsonWriter json(line);
      json.time("timestamp", message.time);
      json.text("level", {level.data(), level.size()});
      json.text("logger", {message.logger_name.data(), message.logger_name.size()});
      json.text("message", text);
      json.finish();
    } else {
      char time[24];
      line.append(time, static_cast<std::size_t>(write_rfc3339(time, message.time) - time));
      line.append(" ").append(level.data(), level.size()).append(" ");
      append_escaped(line, text);
      line.append("\n");
    }
    queue_.push_line(line);
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  LogQueue& queue_;
  std::shared_ptr<const Redactor> redactor_;
  LogFormatSetting format_;
};

spdlog::level::level_enum level_of(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::kTrace: return spdlog::level::trace;
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarn: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
    case LogLevel::kOff: return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(LogQueue& queue, std::shared_ptr<const Redactor> redactor, const Log& settings) {
  auto logger = std::make_shared<spdlog::logger>("gatehouse", std::make_shared<QueueSink>(queue, std::move(redactor), settings.format));
  logger->set_level(level_of(settings.level));
  return logger;
}

}  // namespace gatehouse
