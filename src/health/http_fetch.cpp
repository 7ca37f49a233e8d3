#include "health/http_fetch.hpp"

#include "http/chunked.hpp"
#include "http/h1_parser.hpp"

#include <optional>

namespace gatehouse::health {
namespace {

constexpr std::size_t kHeadBytes = 16384;

// What is known of a response while its bytes come.
struct Reading {
  int status = 0;
  http::Framing framing;
};

// Zero as status while more of the head is to come. Takes the head out of `bytes`.
result<Reading> take_head(http::HeadScanner& scanner, std::string& bytes) {
  const http::HeadLimits limits;
  const auto found = scanner.scan(bytes, limits);
  if (found.error) return make_error_code(errc::malformed);
  if (!found.complete) return Reading{};
  Arena arena(2048);
  Response response(arena);
  http::ResponseHead parsed;
  if (http::parse_response_head(std::string_view(bytes).substr(0, found.end), limits, Method::kGet, response, parsed))
    return make_error_code(errc::malformed);
  bytes.erase(0, found.end);
  return Reading{response.status, parsed.framing};
}

// Decodes what has come; an error of the coding.
error_code take_chunks(http::ChunkedDecoder& decoder, std::string& bytes, std::string& body) {
  std::size_t at = 0;
  while (at < bytes.size() && !decoder.done() && !decoder.error()) {
    const auto step = decoder.feed(std::string_view(bytes).substr(at));
    at += step.consumed;
    body += step.payload;
  }
  bytes.clear();
  return decoder.error() ? make_error_code(errc::malformed) : error_code{};
}

net::awaitable<result<std::string>> read_body(net::Stream& stream, http::Framing framing, std::string bytes, std::size_t most,
                                              net::Clock::time_point until) {
  using Kind = http::Framing::Kind;
  if (framing.kind == Kind::kNone) co_return std::string();
  if (framing.kind == Kind::kLength && framing.length > most) co_return make_error_code(errc::too_large);
  std::string body;
  http::ChunkedDecoder chunks{http::ChunkLimits{}};
  for (;;) {
    if (framing.kind == Kind::kChunked) {
      const error_code broken = take_chunks(chunks, bytes, body);
      if (broken) co_return broken;
      if (body.size() > most) co_return make_error_code(errc::too_large);
      if (chunks.done()) co_return body;
    } else if (framing.kind == Kind::kLength && bytes.size() >= framing.length) {
      bytes.resize(static_cast<std::size_t>(framing.length));
      co_return bytes;
    }
    const error_code error = co_await receive(stream, bytes, most + kHeadBytes, until);
    if (error == errc::closed && framing.kind == Kind::kUntilClose) co_return bytes;
    if (error) co_return error;
  }
}

}  // namespace

net::awaitable<result<HttpAnswer>> http_get(net::Stream& stream, std::string target, std::string authority, std::size_t most_body,
                                            net::Clock::time_point until) {
  const std::string request = "GET " + target + " HTTP/1.1\r\nhost: " + authority +
                              "\r\nuser-agent: gatehouse-health\r\naccept: */*\r\nconnection: close\r\n\r\n";
  const error_code sent = co_await send(stream, request, until);
  if (sent) co_return sent;
  std::string bytes;
  Reading reading;
  // RFC 9110 15.2: interim responses come before the one that counts.
  while (reading.status < 200) {
    http::HeadScanner scanner(http::Side::kResponse);
    reading.status = 0;
    while (reading.status == 0) {
      auto head = take_head(scanner, bytes);
      if (!head) co_return head.error();
      reading = *head;
      if (reading.status != 0) break;
      const error_code error = co_await receive(stream, bytes, kHeadBytes, until);
      if (error) co_return error;
    }
  }
  HttpAnswer answer;
  answer.status = reading.status;
  if (most_body == 0) co_return answer;
  auto body = co_await read_body(stream, reading.framing, std::move(bytes), most_body, until);
  if (!body) co_return body.error();
  answer.body = std::move(*body);
  co_return answer;
}

}  // namespace gatehouse::health
