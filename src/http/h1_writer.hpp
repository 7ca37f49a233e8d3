// Messages to bytes: heads written anew from judged messages, never copied. No sockets.
#pragma once

#include "http/framing.hpp"

#include <gatehouse/message.hpp>

#include <array>
#include <ctime>
#include <string_view>

namespace gatehouse::http {

// How the connection goes on after this message.
enum class Persistence : std::uint8_t { kKeepAlive, kClose, kUpgrade };

// The request head for the app, in the arena: one Host, at most one framing field. `host` is used where the request
// names none.
std::string_view write_request_head(const Request& request, const Framing& framing, std::string_view host,
                                    std::string_view upgrade, Arena& arena);

// The response head for the client. `client_minor` is the client's HTTP version: keep-alive is told to 1.0 only. `date`
// is added where the response has no Date.
std::string_view write_response_head(const Response& response, const Framing& framing, Persistence persistence,
                                     unsigned client_minor, std::string_view upgrade, std::string_view date,
                                     Arena& arena);

// The head of a 1xx response, which has neither framing nor a date.
std::string_view write_interim_head(const Response& response, Arena& arena);

// The size line of a chunk, with CRLF, in `buffer`.
std::string_view write_chunk_size(std::size_t size, std::array<char, 20>& buffer) noexcept;
// Trailer section and final CRLF behind the last chunk.
std::string_view write_trailers(const Headers& trailers, Arena& arena);

// The registered reason phrase of a status, or an empty text.
std::string_view reason_phrase(int status) noexcept;

// An IMF-fixdate (RFC 9110 5.6.7), remembered for the second it holds. One per worker.
class DateCache {
 public:
  std::string_view at(std::time_t now) noexcept;

 private:
  std::time_t second_ = -1;
  std::array<char, 30> text_{};
};

}  // namespace gatehouse::http
