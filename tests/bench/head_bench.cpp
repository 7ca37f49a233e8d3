// Heads of messages: finding their end, judging them, writing them anew; as a load generator sends them and as a browser does.
#include "http/h1_parser.hpp"
#include "http/h1_writer.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>

namespace gatehouse::http {
namespace {

constexpr std::string_view kPlain = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view kBrowser =
    "GET /api/v1/orders/17?page=2&sort=created_at HTTP/1.1\r\nHost: shop.example.com\r\nConnection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"126\", \"Not/A)Brand\";v=\"8\"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n"
    "Accept: application/json, text/plain, */*\r\nOrigin: https://app.example.com\r\nSec-Fetch-Site: same-site\r\n"
    "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nReferer: https://app.example.com/orders\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 07:00:00 GMT\r\nContent-Type: application/json\r\n"
    "Content-Length: 103\r\nConnection: keep-alive\r\n\r\n";

std::string_view request_of(const benchmark::State& state) { return state.range(0) == 0 ? kPlain : kBrowser; }

// What does not do its work must not look fast.
void demand(bool done) {
  if (!done) std::abort();
}

void tell_speed(benchmark::State& state, std::string_view head) {
  state.SetBytesProcessed(static_cast<std::int64_t>(head.size()) * static_cast<std::int64_t>(state.iterations()));
}

void scan_request_head(benchmark::State& state) {
  const auto head = request_of(state);
  for (auto _ : state) {
    HeadScanner scanner(Side::kRequest);
    const auto found = scanner.scan(head, HeadLimits{});
    demand(found.complete);
  }
  tell_speed(state, head);
}

void parse_request(benchmark::State& state) {
  const auto head = request_of(state);
  const RequestRules rules;
  Arena arena;
  for (auto _ : state) {
    arena.clear();
    Request request(arena);
    RequestHead out;
    demand(!parse_request_head(head, rules, request, out));
    benchmark::DoNotOptimize(request);
  }
  tell_speed(state, head);
}

void parse_response(benchmark::State& state) {
  Arena arena;
  for (auto _ : state) {
    arena.clear();
    Response response(arena);
    ResponseHead out;
    demand(!parse_response_head(kResponse, HeadLimits{}, Method::kGet, response, out));
    benchmark::DoNotOptimize(response);
  }
  tell_speed(state, kResponse);
}

void write_request(benchmark::State& state) {
  Arena read, written;
  Request request(read);
  RequestHead parsed;
  demand(!parse_request_head(request_of(state), RequestRules{}, request, parsed));
  std::string_view head;
  for (auto _ : state) {
    written.clear();
    head = write_request_head(request, parsed.framing, "127.0.0.1:8000", {}, written);
    benchmark::DoNotOptimize(head.data());
  }
  demand(head.ends_with("\r\n\r\n"));
  tell_speed(state, head);
}

void write_response(benchmark::State& state) {
  Arena read, written;
  Response response(read);
  ResponseHead parsed;
  demand(!parse_response_head(kResponse, HeadLimits{}, Method::kGet, response, parsed));
  DateCache dates;
  std::string_view head;
  for (auto _ : state) {
    written.clear();
    head = write_response_head(response, parsed.framing, Persistence::kKeepAlive, 1, {}, dates.at(1795417200), written);
    benchmark::DoNotOptimize(head.data());
  }
  demand(head.ends_with("\r\n\r\n"));
  tell_speed(state, head);
}

// 0: as a load generator sends it; 1: as a browser does.
BENCHMARK(scan_request_head)->Arg(0)->Arg(1);
BENCHMARK(parse_request)->Arg(0)->Arg(1);
BENCHMARK(write_request)->Arg(0)->Arg(1);
BENCHMARK(parse_response);
BENCHMARK(write_response);

}  // namespace
}  // namespace gatehouse::http
