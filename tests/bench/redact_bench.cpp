// What one access record costs, and how fast text goes through the redactor.
#include "observe/access_record.hpp"
#include "observe/json_writer.hpp"

#include <benchmark/benchmark.h>

#include <string>

using namespace gatehouse;

namespace {

AccessRecord sample() {
  AccessRecord record;
  record.received_at = std::chrono::system_clock::time_point(std::chrono::milliseconds(1782909296789));
  record.method = "GET";
  record.path = "/api/v1/orders/17";
  record.query = "page=2&sort=created_at";
  record.route = "/api/v1/orders/{id}";
  record.status = 200;
  record.reason = "via_upstream";
  record.response_flags = "-";
  record.client_address = "192.0.2.7";
  record.request_id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  record.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  record.protocol_version = "1.1";
  record.tls_version = "1.3";
  record.user_agent =
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
  record.bytes_received = 0;
  record.bytes_sent = 5120;
  record.total = std::chrono::microseconds(12345);
  record.upstream_total = std::chrono::microseconds(11500);
  record.added = std::chrono::microseconds(845);
  return record;
}

void write_records(benchmark::State& state, const AccessRecord& record, AccessFields fields) {
  const auto redactor = Redactor::standard();
  AccessFormat format;
  format.fields = fields;
  std::string out;
  out.reserve(65536);
  for (auto _ : state) {
    if (out.size() > 32768) out.clear();
    write_access_record(record, format, *redactor, out);
  }
  benchmark::DoNotOptimize(out.data());
}

void default_access_record(benchmark::State& state) { write_records(state, sample(), AccessFields::kDefault); }
void minimal_access_record(benchmark::State& state) { write_records(state, sample(), AccessFields::kMinimal); }
void full_access_record(benchmark::State& state) { write_records(state, sample(), AccessFields::kFull); }
void access_record_with_a_secret(benchmark::State& state) {
  AccessRecord record = sample();
  record.query = "page=2&access_token=not-a-token";
  write_records(state, record, AccessFields::kDefault);
}

// Lines as an application writes them; one in `state.range(0)` holds a password (0: none).
std::string json_lines(std::int64_t secret_every) {
  std::string text;
  for (std::int64_t i = 0; text.size() < 1 << 20; ++i) {
    text +=
        R"({"timestamp":"2026-07-01T12:34:56.789Z","level":"info","logger":"app.orders","message":"order created","request_id":"7b1c2f30-8f0e-4e0b-9d5e-2a1f0c3d4e5f","user_id":)";
    text += std::to_string(1000 + i);
    text +=
        R"(,"http":{"method":"POST","path":"/api/v1/orders","status":201,"duration_ms":12.5},"items":[{"sku":"A-1","n":2}])";
    if (secret_every != 0 && i % secret_every == 0) text += R"(,"password":"hunter2","email":"ann@example.com")";
    text += "}\n";
  }
  return text;
}

void run_text(benchmark::State& state, const std::string& text) {
  const auto redactor = Redactor::standard();
  std::string scratch;
  for (auto _ : state) benchmark::DoNotOptimize(redactor->text(text, scratch).data());
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * static_cast<std::int64_t>(state.iterations()));
}

void text_of_json_lines(benchmark::State& state) { run_text(state, json_lines(state.range(0))); }

void text_of_plain_lines(benchmark::State& state) {
  std::string text;
  while (text.size() < 1 << 20)
    text +=
        "2026-07-01 12:34:56,789 INFO app.orders: order 17 of user 1234 created in 12.5 ms (3 items)\n"
        "192.0.2.7 - - [01/Jul/2026:12:34:56 +0000] \"GET /api/v1/orders?page=2 HTTP/1.1\" 200 5120 \"-\" "
        "\"curl/8.0\"\n";
  run_text(state, text);
}

void judge_a_name(benchmark::State& state) {
  const SensitiveNames names;
  for (auto _ : state) {
    benchmark::DoNotOptimize(names.judge("request_id"));
    benchmark::DoNotOptimize(names.judge("duration_ms"));
  }
}

void escape_plain_text(benchmark::State& state) {
  const std::string value(1000, 'x');
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_escaped(out, value);
  }
  state.SetBytesProcessed(1000 * static_cast<std::int64_t>(state.iterations()));
}

BENCHMARK(default_access_record);
BENCHMARK(minimal_access_record);
BENCHMARK(full_access_record);
BENCHMARK(access_record_with_a_secret);
BENCHMARK(text_of_json_lines)->Arg(0)->Arg(100)->Arg(1);
BENCHMARK(text_of_plain_lines);
BENCHMARK(judge_a_name);
BENCHMARK(escape_plain_text);

}  // namespace
