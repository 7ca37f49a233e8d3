// A response head has one reading, and what is made of it for the client can be read again as the same. The first byte
// picks the method of the request.
#include "fuzzing.hpp"
#include "http/h1_parser.hpp"
#include "http/h1_writer.hpp"
#include "http/hop_by_hop.hpp"

namespace {

using namespace gatehouse;
using namespace gatehouse::http;

std::optional<HeadError> parse(std::string_view bytes, Method method, Response& response, ResponseHead& head) {
  const HeadLimits limits{200, 1000, 20};
  HeadScanner scanner(Side::kResponse);
  const auto found = scanner.scan(bytes, limits);
  if (found.error) return found.error;
  if (!found.complete) return HeadError::malformed_status_line;
  return parse_response_head(bytes.substr(0, found.end), limits, method, response, head);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Method method = (data[0] & 1) != 0 ? Method::kHead : Method::kGet;
  Arena arena;
  Response response(arena);
  ResponseHead head;
  if (parse({reinterpret_cast<const char*>(data) + 1, size - 1}, method, response, head)) return 0;
  require_clean(response.headers);
  const bool bodiless =
      method == Method::kHead || response.status < 200 || response.status == 204 || response.status == 304;
  require(!bodiless || head.framing.kind == Framing::Kind::kNone, "an answer without body has none");
  require(bodiless || head.framing.kind != Framing::Kind::kNone, "every other answer has one");
  if (response.status < 200) return 0;

  remove_hop_by_hop(response.headers);
  const auto written = write_response_head(response, head.framing, Persistence::kKeepAlive, 1, {}, "now", arena);
  Response again(arena);
  ResponseHead head_again;
  // What is added on the way out may be more than the small limits of this test allow.
  const auto error = parse(written, method, again, head_again);
  if (error == HeadError::head_too_large || error == HeadError::too_many_fields) return 0;
  require(!error, "what was written can be read");
  require(again.status == response.status, "the status is the same");
  require(head_again.framing.kind == head.framing.kind && head_again.framing.length == head.framing.length,
          "the end is the same");
  require_clean(again.headers);
  return 0;
}
