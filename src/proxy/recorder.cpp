#include "proxy/recorder.hpp"

#include "proxy/proxy_exchange.hpp"
#include "proxy/worker_state.hpp"

#include <algorithm>

namespace gatehouse::proxy {
namespace {

constexpr std::chrono::milliseconds kFlushAfter{50};
constexpr std::size_t kRememberedPath = 512;

// The flag of a traceparent that the request-id filter found valid (W3C Trace Context 3.2.2.5).
bool sampled(std::string_view traceparent) noexcept {
  if (traceparent.size() < 55) return false;
  const char digit = traceparent[54];
  return (digit <= '9' ? digit - '0' : digit - 'a' + 10) % 2 != 0;
}

std::optional<AccessRecord::Duration> between(Measures::TimePoint from, Measures::TimePoint to) {
  if (from == Measures::TimePoint{} || to == Measures::TimePoint{}) return std::nullopt;
  return to - from;
}

// "TLSv1.3" of OpenSSL is "1.3" to OpenTelemetry.
std::string_view version_number(std::string_view tls) {
  return tls.starts_with("TLSv") ? tls.substr(4) : tls;
}

AccessRecord make_record(const ProxyExchange& exchange, std::string_view upstream_address) {
  const Request& request = exchange.request();
  const Measures& measures = exchange.measures;
  AccessRecord record;
  record.received_at = exchange.received_at;
  record.method = request.method_text;
  record.scheme = exchange.client_scheme == Scheme::kHttps ? "https" : "http";
  record.authority = request.authority;
  record.path = request.path.empty() ? exchange.head.target.substr(0, exchange.head.target.find('?')) : request.path;
  record.query = request.query;
  record.route = exchange.route;
  record.status = measures.status;
  record.sidecar = exchange.outcome().sidecar;
  record.reason = exchange.outcome().reason;
  record.note = exchange.note;
  record.response_flags = flag_code(exchange.outcome().flag);
  record.client_address = exchange.client.text;
  record.peer_address = exchange.peer.text;
  record.request_id = exchange.request_id;
  record.trace_id = exchange.trace_id;
  record.protocol_version = request.minor_version == 0 ? "1.0" : "1.1";
  record.tls_version = version_number(exchange.tls_version);
  record.user_agent = request.headers.value(FieldId::user_agent);
  record.referer = request.headers.value(FieldId::referer);
  record.bytes_received = exchange.client_body.received();
  record.bytes_sent = measures.response_bytes;
  record.total = measures.finished - exchange.started_at;
  record.read = between(exchange.started_at, measures.head_read).value_or(AccessRecord::Duration{});
  record.wait = between(measures.upstream_began, measures.upstream_connected).value_or(AccessRecord::Duration{});
  if (measures.upstream_began != Measures::TimePoint{}) {
    record.upstream_address = upstream_address;
    record.upstream_connect = between(measures.upstream_began, measures.upstream_connected);
    record.upstream_first_byte = between(measures.upstream_connected, measures.upstream_first_byte);
    record.upstream_total = between(measures.upstream_began, std::max(measures.upstream_ended, measures.upstream_first_byte));
    if (!record.upstream_total) record.upstream_total = measures.finished - measures.upstream_began;
    record.upstream_attempts = measures.replayed ? 2 : 1;
  }
  record.added = std::max(record.total - record.upstream_total.value_or(AccessRecord::Duration{}) - record.read, AccessRecord::Duration{});
  record.request_headers = &request.headers;
  return record;
}

}  // namespace

Recorder::Recorder(boost::asio::io_context& io, LogQueue& queue) : buffer_(queue), flush_timer_(io) {}

void Recorder::finished(const ProxyExchange& exchange) {
  const auto& [settings, redactor, upstream_address] = exchange.snapshot->recording;
  const AccessRecord record = make_record(exchange, upstream_address);
  count(exchange, record);
  if (!exchange.route_entry->own) remember(exchange, record);
  if (!settings.enabled || !wanted(exchange, record.status, settings)) return;
  write_access_record(record, settings.format, *redactor, buffer_.text());
  buffer_.line_added();
  if (!buffer_.empty()) arm_flush();
}

void Recorder::count(const ProxyExchange& exchange, const AccessRecord& record) {
  observe::RouteMetrics* const route = exchange.route_entry->metrics;
  if (route == nullptr) return;
  observe::RequestSeries& series = route->series(exchange.request().method, record.status == 0 ? 499 : record.status);
  const std::size_t bucket = series.duration.observe(record.total);
  // A trace that nobody keeps is no example.
  if (!record.trace_id.empty() && sampled(exchange.request().headers.value(FieldId::traceparent)))
    series.exemplars.keep(bucket, record.trace_id, record.total, record.received_at);
  if (record.upstream_total) series.upstream.observe(*record.upstream_total);
  series.overhead.observe(record.added);
  route->request_bytes.observe(record.bytes_received);
  route->response_bytes.observe(record.bytes_sent);
}

void Recorder::remember(const ProxyExchange& exchange, const AccessRecord& record) {
  const Redactor& redactor = *exchange.snapshot->recording.redactor;
  const bool refused = record.sidecar && record.status >= 400 && record.status != 499;
  if (record.status < 500 && !refused) return;
  observe::RecentError error;
  error.time = record.received_at;
  error.status = record.status;
  // A method that is not known may be any text; a head that was refused may have none.
  if (!record.method.empty()) error.method = method_label(exchange.request().method);
  error.path = redactor.path(record.path.substr(0, kRememberedPath), record.route, scratch_);
  error.route = record.route;
  error.reason = record.reason;
  error.sidecar = record.sidecar;
  error.request_id = redactor.text(record.request_id, scratch_);
  error.duration = record.total;
  exchange.worker.metrics.recent_errors.add(std::move(error));
}

bool Recorder::wanted(const ProxyExchange& exchange, int status, const RecorderSettings& settings) {
  if (exchange.route_entry->own && settings.exclude_own && status < 500) return false;
  if (settings.sample >= 1.0 || status >= 400 || status == 0) return true;
  // Evenly spread instead of by chance: a tenth is every tenth.
  sampled_ += settings.sample;
  if (sampled_ < 1.0) return false;
  sampled_ -= 1.0;
  return true;
}

void Recorder::arm_flush() {
  if (flush_armed_) return;
  flush_armed_ = true;
  flush_timer_.expires_after(kFlushAfter);
  flush_timer_.async_wait([this](const boost::system::error_code& error) {
    flush_armed_ = false;
    if (!error) buffer_.flush();
  });
}

}  // namespace gatehouse::proxy
