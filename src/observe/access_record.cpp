#include "observe/access_record.hpp"

#include "observe/json_writer.hpp"

#include <charconv>

namespace gatehouse {
namespace {

// Bumped when the meaning of a field changes, not when one is added.
constexpr int kSchema = 1;
constexpr std::size_t kLong = 2048;  // path, query, user agent, referer, header fields
constexpr std::size_t kShort = 256;  // everything else

JsonKey level_of(int status) noexcept { return status >= 500 ? JsonKey("error") : JsonKey("info"); }

class JsonRecord {
 public:
  JsonRecord(const AccessRecord& record, const AccessFormat& format, const Redactor& redactor, std::string& out)
      : record_(record), format_(format), redactor_(redactor), json_(out) {}

  void write() {
    head();
    if (format_.fields != AccessFields::kMinimal) {
      who();
      sizes();
      durations();
    }
    if (format_.fields == AccessFields::kFull) details();
    headers("http.request.header.", record_.request_headers, format_.request_headers);
    headers("http.response.header.", record_.response_headers, format_.response_headers);
    json_.finish();
  }

 private:
  // What every field set has, in this order.
  void head() {
    json_.time("timestamp", record_.received_at);
    json_.literal("level", level_of(record_.status));
    json_.literal("logger", "access");
    json_.number("schema", kSchema);
    json_.text("http.request.method", record_.method, kShort);
    json_.text("url.path", redactor_.path(record_.path, record_.route, scratch_), kLong);
    if (!record_.query.empty()) json_.text("url.query", redactor_.query(record_.query, scratch_), kLong);
    json_.text("http.route", record_.route, kShort);
    if (record_.status != 0) json_.number("http.response.status_code", record_.status);
    json_.literal("gatehouse.decided_by", record_.sidecar ? JsonKey("sidecar") : JsonKey("origin"));
    json_.text("gatehouse.reason", record_.reason, kShort);
    text_if("gatehouse.note", record_.note);
    json_.seconds("gatehouse.duration.total", record_.total);
    text_if("client.address", redactor_.address(record_.client_address, scratch_));
    text_if("request_id", told_request_id(record_, redactor_, scratch_));
  }

  void who() {
    text_if("trace_id", record_.trace_id);
    json_.text("gatehouse.response_flags", record_.response_flags, kShort);
    text_if("network.protocol.version", record_.protocol_version);
    text_if("tls.protocol.version", record_.tls_version);
    if (!record_.user_agent.empty())
      json_.text("user_agent.original", redactor_.text(record_.user_agent, scratch_), kLong);
  }

  void sizes() {
    json_.number("http.request.body.size", record_.bytes_received);
    json_.number("http.response.body.size", record_.bytes_sent);
  }

  void durations() {
    json_.seconds("gatehouse.duration.added", record_.added);
    seconds_if("gatehouse.duration.upstream", record_.upstream_total);
  }

  void details() {
    text_if("span_id", record_.span_id);
    text_if("url.scheme", record_.scheme);
    if (!record_.authority.empty()) json_.text("server.address", redactor_.text(record_.authority, scratch_), kShort);
    text_if("network.peer.address", redactor_.address(record_.peer_address, scratch_));
    text_if("upstream.address", record_.upstream_address);
    text_if("upstream.pool", record_.upstream_pool);
    if (!record_.referer.empty())
      json_.text("http.request.header.referer", redactor_.url(record_.referer, scratch_), kLong);
    json_.seconds("gatehouse.duration.read", record_.read);
    seconds_if("gatehouse.duration.queue", record_.queue);
    seconds_if("gatehouse.duration.upstream_connect", record_.upstream_connect);
    seconds_if("gatehouse.duration.upstream_first_byte", record_.upstream_first_byte);
    seconds_if("gatehouse.duration.body", record_.body);
    json_.number("gatehouse.upstream_attempts", static_cast<std::uint64_t>(record_.upstream_attempts));
  }

  void headers(std::string_view prefix, const Headers* headers, const std::vector<std::string>& names) {
    if (!headers) return;
    for (const std::string& name : names) {
      const Field* field = headers->find(std::string_view(name));
      // The full set has this one already, and an object must not have a key twice.
      if (!field || (field->id == FieldId::referer && format_.fields == AccessFields::kFull)) continue;
      const std::string_view value = redactor_.header(name, field->value, scratch_);
      if (value.empty() && !field->value.empty()) continue;  // dropped
      key_.assign(prefix);
      for (const char c : name) key_ += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
      json_.text_entry(key_, value, kLong);
    }
  }

  void text_if(JsonKey key, std::string_view value) {
    if (!value.empty()) json_.text(key, value, kShort);
  }
  void seconds_if(JsonKey key, std::optional<AccessRecord::Duration> value) {
    if (value) json_.seconds(key, *value);
  }

  const AccessRecord& record_;
  const AccessFormat& format_;
  const Redactor& redactor_;
  JsonWriter json_;
  std::string scratch_;
  std::string key_;
};

// For people: one line, fields that matter first, nothing that could move a cursor.
class TextRecord {
 public:
  TextRecord(const AccessRecord& record, const AccessFormat& format, const Redactor& redactor, std::string& out)
      : record_(record), format_(format), redactor_(redactor), out_(out) {}

  void write() {
    char digits[32];
    out_.append(digits, write_rfc3339(digits, record_.received_at));
    out_ += ' ';
    append_escaped(out_, record_.method.empty() ? "-" : record_.method, kShort);
    out_ += ' ';
    append_escaped(out_, redactor_.path(record_.path, record_.route, scratch_), kLong);
    if (!record_.query.empty()) {
      out_ += '?';
      append_escaped(out_, redactor_.query(record_.query, scratch_), kLong);
    }
    out_ += ' ';
    number(static_cast<std::uint64_t>(record_.status));
    out_ += ' ';
    out_.append(digits, write_seconds(digits, record_.total));
    out_ += 's';
    pair("client", redactor_.address(record_.client_address, scratch_));
    pair("by", record_.sidecar ? "sidecar" : "origin");
    pair("reason", record_.reason);
    if (!record_.note.empty()) pair("note", record_.note);
    if (format_.fields != AccessFields::kMinimal) more();
    pair("id", told_request_id(record_, redactor_, scratch_));
    headers(record_.request_headers, format_.request_headers);
    headers(record_.response_headers, format_.response_headers);
    out_ += '\n';
  }

 private:
  void more() {
    pair("flags", record_.response_flags);
    pair("route", record_.route);
    out_ += " in=";
    number(record_.bytes_received);
    out_ += " out=";
    number(record_.bytes_sent);
    if (format_.fields != AccessFields::kFull) return;
    pair("peer", redactor_.address(record_.peer_address, scratch_));
    pair("upstream", record_.upstream_address);
    pair("pool", record_.upstream_pool);
    quoted("referer", redactor_.url(record_.referer, scratch_));
    quoted("agent", redactor_.text(record_.user_agent, scratch_));
  }

  void headers(const Headers* headers, const std::vector<std::string>& names) {
    if (!headers) return;
    for (const std::string& name : names)
      if (const Field* field = headers->find(std::string_view(name)))
        quoted(name, redactor_.header(name, field->value, scratch_));
  }

  void number(std::uint64_t value) {
    char digits[24];
    out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  void pair(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out_ += ' ';
    append_escaped(out_, name, kShort);
    out_ += '=';
    append_escaped(out_, value, kShort);
  }
  void quoted(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out_ += ' ';
    append_escaped(out_, name, kShort);
    out_ += "=\"";
    append_escaped(out_, value, kLong);
    out_ += '"';
  }

  const AccessRecord& record_;
  const AccessFormat& format_;
  const Redactor& redactor_;
  std::string& out_;
  std::string scratch_;
};

}  // namespace

std::string_view told_request_id(const AccessRecord& record, const Redactor& redactor, std::string& scratch) {
  return record.request_id_is_own ? record.request_id : redactor.text(record.request_id, scratch);
}

void write_access_record(const AccessRecord& record, const AccessFormat& format, const Redactor& redactor,
                         std::string& out) {
  if (format.format == LogFormat::kJson)
    JsonRecord(record, format, redactor, out).write();
  else
    TextRecord(record, format, redactor, out).write();
}

}  // namespace gatehouse
