// The one line that is written for each request, also for one whose head never parsed and one the client abandoned.
// Documented in src/observe/README.md; fields are only ever added, with a new `schema` number when a meaning changes.
// AccessRecord is plain data whose views must live until write_access_record() returns. One thread.
#pragma once

#include "observe/log_line.hpp"
#include "observe/redactor.hpp"

#include <gatehouse/message.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

struct AccessRecord {
  using Duration = std::chrono::nanoseconds;

  std::chrono::system_clock::time_point received_at;  // first byte of the head

  std::string_view method;     // as sent; empty when the head never parsed
  std::string_view scheme;     // http or https
  std::string_view authority;  // host[:port]
  std::string_view path;
  std::string_view query;  // without `?`
  std::string_view route;  // template, `unmatched` where there is none
  int status = 0;          // 0: no response was sent

  bool sidecar = false;             // who decided the status: we, or the origin
  std::string_view reason;          // literal in snake_case
  std::string_view response_flags;  // flag_code()
  std::string_view note;            // what a filter saw and let pass, literal in snake_case; empty: nothing

  std::string_view client_address;
  std::string_view peer_address;
  std::string_view request_id;
  bool request_id_is_own = false;  // made here: holds nothing to hide
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view protocol_version;  // 1.0, 1.1, 2
  std::string_view tls_version;       // 1.2, 1.3; empty without TLS
  std::string_view user_agent;
  std::string_view referer;
  std::string_view upstream_address;
  std::string_view upstream_pool;  // where pools have names

  std::uint64_t bytes_received = 0;  // of the request body
  std::uint64_t bytes_sent = 0;      // of the response body

  Duration total{};  // first byte of the head to last byte of the response
  // The parts of it; together with `added` they are the whole.
  Duration read{};  // until the head was there
  // Unset where no upstream was asked, or where that point was not reached.
  std::optional<Duration> queue;                // for a turn: a free connection, an app that is not there yet
  std::optional<Duration> upstream_connect;     // zero for a connection that was kept
  std::optional<Duration> upstream_first_byte;  // from the connection to the first byte of the answer
  std::optional<Duration> body;                 // from there to the last byte, while there was waiting for either side
  std::optional<Duration> upstream_total;       // those four
  Duration added{};                             // by Gatehouse itself
  unsigned upstream_attempts = 0;

  // For the extra fields that the format names; null where there is none.
  const Headers* request_headers = nullptr;
  const Headers* response_headers = nullptr;
};

enum class AccessFields : std::uint8_t { kMinimal, kDefault, kFull };

struct AccessFormat {
  AccessFields fields = AccessFields::kDefault;
  LogFormat format = LogFormat::kJson;
  // Names of header fields to add; values go through the redactor like everything else.
  std::vector<std::string> request_headers{};
  std::vector<std::string> response_headers{};
};

// The request id as it may be told: one that the client sent without the secrets in it. May be a view of `scratch`.
std::string_view told_request_id(const AccessRecord& record, const Redactor& redactor, std::string& scratch);

// Appends one line, its line break included, to `out`. Never fails; every value is bounded.
void write_access_record(const AccessRecord& record, const AccessFormat& format, const Redactor& redactor,
                         std::string& out);

}  // namespace gatehouse
