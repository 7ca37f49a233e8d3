// Everything about the log of one process: where it goes, in which form, at which level, and what is hidden in it.
// Owned by the application, which passes loggers to whoever has something to say; nothing is registered globally. Any
// thread.
#pragma once

#include "observe/log_line.hpp"
#include "observe/log_queue.hpp"
#include "observe/redactor.hpp"

#include <gatehouse/result.hpp>

#include <spdlog/logger.h>

#include <chrono>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace gatehouse {

class LogSink;
class LogWriter;

// The log of one component. Code that only writes sentences takes it as spdlog::logger&.
class Logger final : public spdlog::logger {
 public:
  Logger(std::string component, std::shared_ptr<LogSink> sink);

  // A sentence and the facts that belong to it, each a field of its own: nothing to parse out of text later.
  void event(spdlog::level::level_enum level, std::string_view message, std::initializer_list<LogField> fields) {
    event(level, message, std::span<const LogField>(fields.begin(), fields.size()));
  }
  void event(spdlog::level::level_enum level, std::string_view message, std::span<const LogField> fields);

 private:
  std::shared_ptr<LogSink> sink_;
};

using ComponentLevels = std::map<std::string, spdlog::level::level_enum, std::less<>>;

struct LogLevels {
  spdlog::level::level_enum level = spdlog::level::info;
  ComponentLevels components{};  // those that have one of their own
};

struct LoggingOptions {
  std::string output = "stdout";  // stdout, stderr, or the path of a file
  LogFormat format = LogFormat::kJson;
  spdlog::level::level_enum level = spdlog::level::info;
  ComponentLevels levels{};  // of single components
  std::size_t queue_bytes = std::size_t{4} << 20;
  LogOverflow overflow = LogOverflow::kDrop;
};

class Logging {
 public:
  // Opens the output and starts the writer thread. Fails when a file cannot be opened. kText becomes coloured where a
  // person is looking.
  static result<std::unique_ptr<Logging>> start(const LoggingOptions& options,
                                                std::shared_ptr<const Redactor> redactor);
  // Stops with a second's patience. Loggers may outlive it; what they are told then is lost.
  ~Logging();

  // The logger of a component (`net`, `upstream`): the same one for the same name.
  std::shared_ptr<Logger> logger(std::string_view component);
  // The level of every component that has none of its own.
  void set_level(spdlog::level::level_enum level);
  // The level of one component, also of one that is not there yet.
  void set_level(std::string_view component, spdlog::level::level_enum level);
  // All levels at once, as a configuration has them: what was set by hand before is forgotten.
  void set_levels(LogLevels levels);
  LogLevels levels() const;

  // Where workers hand over their LogBuffers.
  LogQueue& queue() noexcept { return *queue_; }
  LogFormat format() const noexcept { return format_; }
  std::shared_ptr<const Redactor> redactor() const;
  // For a reload. Lines that are being written may still use the old one.
  void set_redactor(std::shared_ptr<const Redactor> redactor);

  // Opens a file anew after it was rotated away.
  void reopen();
  // Writes what waits as long as `patience` lasts. Whatever is logged after that is lost.
  void stop(std::chrono::milliseconds patience);

  struct Counters {
    std::uint64_t dropped_lines;
    std::uint64_t written_bytes;
    std::uint64_t write_errors;
    std::uint64_t reopen_errors;
    std::uint64_t waiting_bytes;
  };
  Counters counters() const;

 private:
  Logging();

  std::shared_ptr<LogQueue> queue_;
  std::shared_ptr<LogSink> sink_;
  std::unique_ptr<LogWriter> writer_;
  LogFormat format_ = LogFormat::kJson;
  mutable std::mutex mutex_;
  spdlog::level::level_enum level_ = spdlog::level::info;
  ComponentLevels levels_;
  std::map<std::string, std::shared_ptr<Logger>, std::less<>> loggers_;
};

}  // namespace gatehouse
