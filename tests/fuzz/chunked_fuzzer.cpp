// A chunked body decodes to the same bytes however it arrives, ends at the same byte, and stays inside its bounds.
#include "fuzzing.hpp"
#include "http/chunked.hpp"

#include <string>

namespace {

using namespace gatehouse;
using namespace gatehouse::http;

struct Decoded {
  std::string body;
  std::string trailers;
  std::size_t consumed = 0;
  bool done = false;
  std::optional<HeadError> error;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view bytes, std::size_t step) {
  ChunkedDecoder decoder({64, 256});
  Decoded result;
  while (result.consumed < bytes.size() && !decoder.done() && !decoder.error()) {
    const auto fed = decoder.feed(bytes.substr(result.consumed, step));
    require(fed.consumed > 0, "every step gets on");
    require(fed.payload.size() <= fed.consumed, "payload is part of what was consumed");
    result.consumed += fed.consumed;
    result.body += fed.payload;
  }
  result.done = decoder.done();
  result.error = decoder.error();
  result.trailers = decoder.trailer_section();
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Decoded whole = decode(bytes, std::max<std::size_t>(size, 1));
  require(whole == decode(bytes, 1), "whole and byte by byte are the same");
  require(whole == decode(bytes, 3), "whole and in threes are the same");
  require(whole.trailers.size() <= 256, "trailers stay inside their bound");
  require(!whole.done || !whole.error, "a body that is done has no error");
  if (!whole.done) return 0;
  Arena arena;
  Headers trailers(arena);
  require(parse_trailers(whole.trailers, trailers), "trailers of a good body can be read");
  require_clean(trailers);
  for (const FieldId id : {FieldId::content_length, FieldId::transfer_encoding, FieldId::host, FieldId::authorization,
                           FieldId::x_forwarded_for})
    require(trailers.find(id) == nullptr, "no trailer frames, routes or authenticates");
  require(decode(bytes.substr(0, whole.consumed), size).done, "the end does not depend on what follows");
  return 0;
}
