// Gatehouse's own log lines: spdlog gives them levels and text, this puts them into the queue that access records go through, redacted,
// as JSON or, for people, as text.
#pragma once

#include "config/config.hpp"
#include "observe/log_queue.hpp"
#include "observe/redactor.hpp"

#include <memory>
#include <spdlog/logger.h>

namespace gatehouse {

// A logger that any thread may use; `queue` must outlive it.
std::shared_ptr<spdlog::logger> make_logger(LogQueue& queue, std::shared_ptr<const Redactor> redactor, const Log& settings);

}  // namespace gatehouse
