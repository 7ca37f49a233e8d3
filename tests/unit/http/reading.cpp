#include "unit/http/reading.hpp"

#include "http/h1_writer.hpp"
#include "http/syntax.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace gatehouse::http {
namespace {

std::string lower(std::string_view text) {
  std::string copy(text);
  for (char& c : copy)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return copy;
}

std::string written_head(const Request& request, const RequestHead& head, Arena& arena) {
  return std::string(write_request_head(request, head.framing, "app", head.upgrade, arena));
}

// The test's own reader of a written head: strict, and not made of the code that wrote it.
Sent take_apart(std::string_view head) {
  Sent sent;
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  const std::size_t first = head.find("\r\n");
  const auto line = head.substr(0, first);
  EXPECT_TRUE(line.ends_with(" HTTP/1.1")) << line;
  sent.line = line.substr(0, line.size() - 9);
  for (auto rest = head.substr(first + 2); rest != "\r\n";) {
    const std::size_t end = rest.find("\r\n");
    const auto field = rest.substr(0, end);
    const std::size_t colon = field.find(": ");
    if (colon == std::string_view::npos) {
      ADD_FAILURE() << field;
      break;
    }
    sent.fields.emplace_back(lower(field.substr(0, colon)), field.substr(colon + 2));
    rest.remove_prefix(end + 2);
  }
  return sent;
}

// Takes bytes as they come and keeps the state between them.
class Reader {
 public:
  explicit Reader(const RequestRules& rules) : rules_(rules) {}

  void arrive(std::string_view bytes) {
    buffer_ += bytes;
    while (!over() && step()) {
    }
  }
  bool over() const noexcept { return reading_.error.has_value() || reading_.closes; }
  Reading end() {
    reading_.unfinished = !over() && (in_body_ || !buffer_.empty());
    return std::move(reading_);
  }

 private:
  // Does what can be done with the bytes that are here; false when more are needed.
  bool step() { return in_body_ ? step_body() : step_head(); }

  bool step_head() {
    const auto found = scanner_.scan(buffer_, rules_.limits);
    if (found.error) return refuse(*found.error);
    if (!found.complete) return false;
    EXPECT_LT(found.end, rules_.limits.head_bytes());
    const std::string head = buffer_.substr(found.begin, found.end - found.begin);
    buffer_.erase(0, found.end);
    scanner_ = HeadScanner(Side::kRequest);
    Arena arena;
    Request request(arena);
    RequestHead out;
    if (const auto error = parse_request_head(head, rules_, request, out)) return refuse(*error);
    framing_ = out.framing;
    keep_alive_ = out.keep_alive;
    sent_ = take_apart(written_head(request, out, arena));
    left_ = out.framing.length;
    decoder_ = ChunkedDecoder();
    in_body_ = true;
    return true;
  }

  bool step_body() {
    if (framing_.kind == Framing::Kind::kChunked) {
      std::size_t at = 0;
      while (at < buffer_.size() && !decoder_.done() && !decoder_.error()) {
        const auto step = decoder_.feed(std::string_view(buffer_).substr(at));
        at += step.consumed;
        sent_.body += step.payload;
      }
      buffer_.erase(0, at);
      if (decoder_.error()) return refuse(*decoder_.error());
      if (!decoder_.done()) return false;
      Arena arena;
      Headers trailers(arena);
      EXPECT_TRUE(parse_trailers(decoder_.trailer_section(), trailers));
      for (const Field& field : trailers) sent_.trailers.emplace_back(lower(field.name), field.value);
    } else if (framing_.kind == Framing::Kind::kLength) {
      const std::size_t some = std::min<std::size_t>(buffer_.size(), static_cast<std::size_t>(left_));
      sent_.body += buffer_.substr(0, some);
      buffer_.erase(0, some);
      left_ -= some;
      if (left_ != 0) return false;
    }
    reading_.requests.push_back(std::move(sent_));
    reading_.closes = !keep_alive_;
    in_body_ = false;
    return !buffer_.empty();
  }

  bool refuse(HeadError error) {
    reading_.error = error;
    reading_.closes = true;
    return false;
  }

  const RequestRules& rules_;
  Reading reading_;
  std::string buffer_;
  HeadScanner scanner_{Side::kRequest};
  ChunkedDecoder decoder_;
  Framing framing_;
  Sent sent_;
  std::uint64_t left_ = 0;
  bool keep_alive_ = true;
  bool in_body_ = false;
};

}  // namespace

bool Sent::has(std::string_view name) const {
  return std::any_of(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
}

bool Sent::has(std::string_view name, std::string_view value) const {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const auto& field) { return field.first == name && field.second == value; });
}

Reading read_requests(std::string_view bytes, std::size_t step, const RequestRules& rules) {
  Reader reader(rules);
  for (; !bytes.empty() && !reader.over(); bytes.remove_prefix(std::min(step, bytes.size())))
    reader.arrive(bytes.substr(0, step));
  return reader.end();
}

Reading read_both_ways(std::string_view bytes, const RequestRules& rules) {
  Reading whole = read_requests(bytes, std::max<std::size_t>(bytes.size(), 1), rules);
  EXPECT_EQ(whole, read_requests(bytes, 1, rules)) << "differs when it comes byte by byte";
  return whole;
}

std::string rewritten(std::string_view head, const RequestRules& rules) {
  Arena arena;
  Request request(arena);
  RequestHead out;
  const auto error = parse_request_head(head, rules, request, out);
  EXPECT_FALSE(error) << text(error);
  return written_head(request, out, arena);
}

std::string_view text(const std::optional<HeadError>& error) { return error ? name(*error) : "none"; }

}  // namespace gatehouse::http
