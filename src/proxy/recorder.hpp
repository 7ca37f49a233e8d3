// Where every request ends: counted and written down here, once. One per worker; called from its thread. How it is written is for
// the configuration to say that the request was served by.
#pragma once

#include "http/path_pattern.hpp"
#include "observe/access_record.hpp"
#include "observe/log_queue.hpp"
#include "observe/logging.hpp"
#include "observe/metrics.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

namespace gatehouse::proxy {

class CapturedBody;
class ProxyExchange;

struct RecorderSettings {
  bool enabled = true;
  bool exclude_own = true;  // requests that Gatehouse serves itself: probes
  double sample = 1.0;      // share of successes that is written; errors always are
  std::vector<http::PathPattern> exclude_paths{};    // whose successes are left out
  std::chrono::nanoseconds minimum_duration{0};      // successes that took less are left out
  AccessFormat format;
};

struct Recording {
  RecorderSettings settings;
  std::shared_ptr<const Redactor> redactor;  // null only where nothing is recorded
  std::shared_ptr<Logger> heads{};  // at level debug: the heads of every request; null: never
};

class Recorder {
 public:
  // `queue` must outlive the recorder.
  Recorder(boost::asio::io_context& io, LogQueue& queue);

  void finished(const ProxyExchange& exchange);
  // Hands over what has not been written yet.
  void flush() { buffer_.flush(); }

 private:
  void count(const ProxyExchange& exchange, const AccessRecord& record);
  // Keeps it for the status page where it failed or was refused.
  void remember(const ProxyExchange& exchange, const AccessRecord& record);
  bool wanted(const ProxyExchange& exchange, const AccessRecord& record, const RecorderSettings& settings);
  void write_heads(const ProxyExchange& exchange, const AccessRecord& record);
  void write_bodies(const ProxyExchange& exchange);
  void write_body(const ProxyExchange& exchange, std::string_view message, const CapturedBody& body, const Headers& headers);
  void arm_flush();

  LogBuffer buffer_;
  boost::asio::steady_timer flush_timer_;
  bool flush_armed_ = false;
  double sampled_ = 0;
  std::string scratch_;
};

}  // namespace gatehouse::proxy
