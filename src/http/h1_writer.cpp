#include "http/h1_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace gatehouse::http {
namespace {

// Appends to memory whose size was computed beforehand.
class Pen {
 public:
  Pen(Arena& arena, std::size_t size) : begin_(static_cast<char*>(arena.allocate(size))), at_(begin_) {}
  Pen& text(std::string_view text) noexcept {
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  Pen& number(std::uint64_t value) noexcept {
    at_ = std::to_chars(at_, at_ + 20, value).ptr;
    return *this;
  }
  Pen& fields(const Headers& headers) noexcept {
    for (const Field& field : headers) text(field.name).text(": ").text(field.value).text("\r\n");
    return *this;
  }
  std::string_view done() const noexcept { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }

 private:
  char* begin_;
  char* at_;
};

std::size_t size_of(const Headers& headers) noexcept {
  std::size_t size = 0;
  for (const Field& field : headers) size += field.name.size() + field.value.size() + 4;
  return size;
}

void write_framing(const Framing& framing, Pen& pen) noexcept {
  if (framing.kind == Framing::Kind::kLength) pen.text("content-length: ").number(framing.length).text("\r\n");
  if (framing.kind == Framing::Kind::kChunked) pen.text("transfer-encoding: chunked\r\n");
}

// Room for the first line's fixed parts, the framing, connection and date fields and the empty line.
constexpr std::size_t kFixedParts = 320;

}  // namespace

std::string_view write_request_head(const Request& request, const Framing& framing, std::string_view host,
                                    std::string_view upgrade, Arena& arena) {
  const std::size_t size = kFixedParts + request.method_text.size() + request.path.size() + request.query.size() +
                           std::max(host.size(), request.authority.size()) + upgrade.size() + size_of(request.headers);
  Pen pen(arena, size);
  pen.text(request.method_text).text(" ").text(request.path);
  if (request.has_query) pen.text("?").text(request.query);
  pen.text(" HTTP/1.1\r\nhost: ").text(request.authority.empty() ? host : request.authority).text("\r\n");
  for (const Field& field : request.headers)
    if (field.id != FieldId::host) pen.text(field.name).text(": ").text(field.value).text("\r\n");
  // An empty body of a method that usually has one is said to be empty (RFC 9110 8.6): some apps wait for it otherwise.
  const bool expected =
      request.method == Method::kPost || request.method == Method::kPut || request.method == Method::kPatch;
  write_framing(framing.kind == Framing::Kind::kNone && expected ? Framing{Framing::Kind::kLength, 0} : framing, pen);
  if (!upgrade.empty())
    pen.text("connection: upgrade\r\nupgrade: ").text(upgrade).text("\r\n");
  else if (request.headers.find(FieldId::te) != nullptr)
    pen.text("connection: te\r\n");  // RFC 9110 10.1.4
  return pen.text("\r\n").done();
}

std::string_view write_response_head(const Response& response, const Framing& framing, Persistence persistence,
                                     unsigned client_minor, std::string_view upgrade, std::string_view date,
                                     Arena& arena) {
  const auto phrase = reason_phrase(response.status);
  Pen pen(arena, kFixedParts + phrase.size() + upgrade.size() + date.size() + size_of(response.headers));
  pen.text("HTTP/1.1 ").number(static_cast<std::uint64_t>(response.status)).text(" ").text(phrase).text("\r\n");
  pen.fields(response.headers);
  if (response.headers.find(FieldId::date) == nullptr) pen.text("date: ").text(date).text("\r\n");
  write_framing(framing, pen);
  switch (persistence) {
    case Persistence::kKeepAlive:
      if (client_minor == 0) pen.text("connection: keep-alive\r\n");
      break;
    case Persistence::kClose:
      pen.text("connection: close\r\n");
      break;
    case Persistence::kUpgrade:
      pen.text("connection: upgrade\r\nupgrade: ").text(upgrade).text("\r\n");
      break;
  }
  return pen.text("\r\n").done();
}

std::string_view write_interim_head(const Response& response, Arena& arena) {
  const auto phrase = reason_phrase(response.status);
  Pen pen(arena, kFixedParts + phrase.size() + size_of(response.headers));
  pen.text("HTTP/1.1 ").number(static_cast<std::uint64_t>(response.status)).text(" ").text(phrase).text("\r\n");
  return pen.fields(response.headers).text("\r\n").done();
}

std::string_view write_chunk_size(std::size_t size, std::array<char, 20>& buffer) noexcept {
  char* end = std::to_chars(buffer.data(), buffer.data() + 18, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

std::string_view write_trailers(const Headers& trailers, Arena& arena) {
  return Pen(arena, size_of(trailers) + 2).fields(trailers).text("\r\n").done();
}

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 103:
      return "Early Hints";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 203:
      return "Non-Authoritative Information";
    case 204:
      return "No Content";
    case 205:
      return "Reset Content";
    case 206:
      return "Partial Content";
    case 207:
      return "Multi-Status";
    case 300:
      return "Multiple Choices";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 424:
      return "Failed Dependency";
    case 425:
      return "Too Early";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 451:
      return "Unavailable For Legal Reasons";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return {};
  }
}

std::string_view DateCache::at(std::time_t now) noexcept {
  if (now != second_) {
    second_ = now;
    std::tm parts{};
    gmtime_r(&now, &parts);
    static constexpr char kDays[] = "SunMonTueWedThuFriSat";
    static constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char* at = text_.data();
    const auto two = [&at](int value) {
      *at++ = static_cast<char>('0' + value / 10 % 10);
      *at++ = static_cast<char>('0' + value % 10);
    };
    at = std::copy_n(kDays + parts.tm_wday * 3, 3, at);
    at = std::copy_n(", ", 2, at);
    two(parts.tm_mday);
    *at++ = ' ';
    at = std::copy_n(kMonths + parts.tm_mon * 3, 3, at);
    *at++ = ' ';
    two((parts.tm_year + 1900) / 100);
    two((parts.tm_year + 1900) % 100);
    *at++ = ' ';
    two(parts.tm_hour);
    *at++ = ':';
    two(parts.tm_min);
    *at++ = ':';
    two(parts.tm_sec);
    std::copy_n(" GMT", 4, at);
  }
  return {text_.data(), 29};
}

}  // namespace gatehouse::http
