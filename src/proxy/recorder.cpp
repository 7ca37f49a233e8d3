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

AccessRecord make_record(const ProxyExchange& exchange) {
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
  record.request_id_is_own = exchange.request_id_is_own;
  record.trace_id = exchange.trace_id;
  record.protocol_version = request.minor_version == 0 ? "1.0" : "1.1";
  record.tls_version = version_number(exchange.tls_version);
  record.user_agent = request.headers.value(FieldId::user_agent);
  record.referer = request.headers.value(FieldId::referer);
  record.bytes_received = exchange.client_body.received();
  record.bytes_sent = measures.response_bytes;
  record.total = measures.finished - exchange.started_at;
  record.read = between(exchange.started_at, measures.head_read).value_or(AccessRecord::Duration{});
  if (measures.upstream_began != Measures::TimePoint{}) {
    if (exchange.place.member() != nullptr) record.upstream_address = exchange.place.member()->cluster().settings().address;
    if (exchange.pool != nullptr) record.upstream_pool = exchange.pool->label();
    record.queue = between(measures.upstream_began, measures.upstream_connecting);
    // Where none was there in the end, trying is what took the time.
    record.upstream_connect = measures.upstream_connected == Measures::TimePoint{}
                                  ? measures.finished - measures.upstream_began
                                  : between(measures.upstream_connecting, measures.upstream_connected);
    record.upstream_first_byte = between(measures.upstream_connected, measures.upstream_first_byte);
    record.body = between(measures.upstream_first_byte, std::max(measures.upstream_ended, measures.upstream_first_byte));
    record.upstream_total = between(measures.upstream_began, std::max(measures.upstream_ended, measures.upstream_first_byte));
    if (!record.upstream_total) record.upstream_total = measures.finished - measures.upstream_began;
    record.upstream_attempts = measures.attempts;
  }
  record.added = std::max(record.total - record.upstream_total.value_or(AccessRecord::Duration{}) - record.read, AccessRecord::Duration{});
  record.request_headers = &request.headers;
  record.response_headers = &exchange.response_headers;
  return record;
}

}  // namespace

Recorder::Recorder(boost::asio::io_context& io, LogQueue& queue) : buffer_(queue), flush_timer_(io) {}

void Recorder::finished(const ProxyExchange& exchange) {
  const auto& [settings, redactor, heads] = exchange.snapshot->recording;
  const AccessRecord record = make_record(exchange);
  count(exchange, record);
  if (!exchange.route_entry->own) remember(exchange, record);
  if (heads && heads->should_log(spdlog::level::debug)) write_heads(exchange, record);
  if (exchange.captured) write_bodies(exchange);
  if (settings.enabled && wanted(exchange, record, settings)) {
    write_access_record(record, settings.format, *redactor, buffer_.text());
    buffer_.line_added();
  }
  if (!buffer_.empty()) arm_flush();
}

void Recorder::write_heads(const ProxyExchange& exchange, const AccessRecord& record) {
  const Redactor& redactor = *exchange.snapshot->recording.redactor;
  std::vector<std::string> texts;  // views of them stand in the fields
  const std::size_t count = exchange.request().headers.size() + exchange.response_headers.size();
  texts.reserve(2 * count + 2);
  std::vector<LogField> fields;
  const auto keep = [&texts](std::string_view text) -> std::string_view { return texts.emplace_back(text); };
  std::string scratch;
  fields.emplace_back("request_id", exchange.request_id);
  fields.emplace_back("http.request.method", record.method);
  fields.emplace_back("url.path", keep(redactor.path(record.path, record.route, scratch)));
  if (!record.query.empty()) fields.emplace_back("url.query", keep(redactor.query(record.query, scratch)));
  fields.emplace_back("http.response.status_code", record.status);
  const auto add = [&](std::string_view prefix, const Headers& headers) {
    for (const Field& field : headers) {
      std::string name(prefix);
      for (const char c : field.name) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
      fields.emplace_back(keep(name), keep(redactor.header(field.name, field.value, scratch)));
    }
  };
  add("http.request.header.", exchange.request().headers);
  add("http.response.header.", exchange.response_headers);
  exchange.snapshot->recording.heads->event(spdlog::level::debug, "request and response as they went to and came from the app", fields);
}

void Recorder::write_bodies(const ProxyExchange& exchange) {
  write_body(exchange, "request body", exchange.captured->request, exchange.request().headers);
  write_body(exchange, "response body", exchange.captured->response, exchange.response_headers);
}

void Recorder::write_body(const ProxyExchange& exchange, std::string_view message, const CapturedBody& body,
                          const Headers& headers) {
  if (body.size() == 0) return;
  const Redactor& redactor = *exchange.snapshot->recording.redactor;
  const BodyLogSettings& wanted = exchange.route_entry->settings.log_bodies;
  const std::string_view type = headers.value(FieldId::content_type);
  const std::string_view encoding = headers.value(FieldId::content_encoding);
  std::string scratch, told;
  const bool readable = is_logged_type(type, wanted.content_types) &&
                        (encoding.empty() || equals_ignoring_case(encoding, "identity"));
  constexpr std::string_view kForm = "application/x-www-form-urlencoded";
  const bool form = equals_ignoring_case(type.substr(0, kForm.size()), kForm);
  if (readable) told = form ? redactor.query(body.text(), scratch) : redactor.text(body.text(), scratch);
  if (told.size() > wanted.max_size) told.resize(wanted.max_size);
  std::vector<LogField> fields{{"request_id", exchange.request_id}, {"http.route", exchange.route},
                               {"content_type", type},              {"size", body.size()}};
  if (!encoding.empty()) fields.emplace_back("content_encoding", encoding);
  if (readable) fields.emplace_back("body", told);
  if (!readable || body.size() > told.size()) fields.emplace_back("complete", readable && body.size() <= wanted.max_size);
  LogLine line{std::chrono::system_clock::now(), "debug", "bodies", message, fields};
  line.value_limit = wanted.max_size;
  write_log_line(line, exchange.snapshot->recording.settings.format.format, redactor, buffer_.text());
  buffer_.line_added();
}

void Recorder::count(const ProxyExchange& exchange, const AccessRecord& record) {
  observe::RouteMetrics* const route = exchange.route_metrics;
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
  error.request_id = told_request_id(record, redactor, scratch_);
  error.duration = record.total;
  exchange.worker.metrics.recent_errors.add(std::move(error));
}

bool Recorder::wanted(const ProxyExchange& exchange, const AccessRecord& record, const RecorderSettings& settings) {
  const int status = record.status;
  if (exchange.route_entry->own && settings.exclude_own && status < 500) return false;
  if (status >= 400 || status == 0) return true;
  if (record.total < settings.minimum_duration) return false;
  if (std::any_of(settings.exclude_paths.begin(), settings.exclude_paths.end(),
                  [&](const http::PathPattern& pattern) { return pattern.matches(record.path); }))
    return false;
  if (settings.sample >= 1.0) return true;
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
