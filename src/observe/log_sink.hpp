// Turns what loggers say into lines and queues them. Shared by all loggers of one Logging; any thread.
#pragma once

#include "observe/log_line.hpp"
#include "observe/log_queue.hpp"

#include <spdlog/sinks/sink.h>

#include <memory>
#include <mutex>
#include <optional>

namespace gatehouse {

class LogSink final : public spdlog::sinks::sink {
 public:
  LogSink(std::shared_ptr<LogQueue> queue, LogFormat format, std::shared_ptr<const Redactor> redactor);

  void write(const LogLine& line);
  std::shared_ptr<const Redactor> redactor() const;
  void set_redactor(std::shared_ptr<const Redactor> redactor);

  void log(const spdlog::details::log_msg& message) override;
  // The queue has its own thread; a caller must not wait for it.
  void flush() override {}
  // The form is fixed: lines of two forms in one stream are lines nobody can parse.
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  std::shared_ptr<LogQueue> queue_;
  const LogFormat format_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Redactor> redactor_;
};

// `warn`, not spdlog's `warning`: what log pipelines know.
std::string_view level_name(spdlog::level::level_enum level) noexcept;
std::optional<spdlog::level::level_enum> level_of_name(std::string_view name) noexcept;

}  // namespace gatehouse
