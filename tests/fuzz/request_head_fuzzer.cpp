// A request head has one reading, however its bytes arrive, and nothing in it can mean something else further on.
#include "fuzzing.hpp"
#include "http/h1_parser.hpp"

namespace {

using namespace gatehouse;
using namespace gatehouse::http;

HeadScanner::Result scan_in_steps(std::string_view bytes, std::size_t step, const HeadLimits& limits) {
  HeadScanner scanner(Side::kRequest);
  for (std::size_t given = 0;;) {
    given = std::min(bytes.size(), given + step);
    const auto result = scanner.scan(bytes.substr(0, given), limits);
    if (result.error || result.complete || given == bytes.size()) return result;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  RequestRules rules;
  rules.limits = {200, 1000, 20};
  const auto found = scan_in_steps(bytes, std::max<std::size_t>(size, 1), rules.limits);
  const auto slow = scan_in_steps(bytes, 1, rules.limits);
  require(found.error == slow.error && found.complete == slow.complete && found.begin == slow.begin &&
              found.end == slow.end,
          "whole and byte by byte are the same");
  if (!found.complete) {
    require(found.error || size < rules.limits.head_bytes(), "a buffer of head_bytes() never fills up undecided");
    return 0;
  }
  Arena arena;
  Request request(arena);
  RequestHead head;
  if (parse_request_head(bytes.substr(found.begin, found.end - found.begin), rules, request, head)) return 0;
  require_clean(request.headers);
  require(is_token(request.method_text), "the method is a token");
  require(request.path.starts_with('/') || (request.path == "*" && request.method == Method::kOptions),
          "the path is a path");
  require(all(kVisible, request.path) && all(kVisible, request.query), "the target holds visible bytes only");
  require(request.authority.empty() ? request.minor_version == 0 : valid_authority(request.authority),
          "the host is a host");
  require(request.headers.count(FieldId::host) <= 1, "there is one Host");
  for (const FieldId id : {FieldId::content_length, FieldId::transfer_encoding, FieldId::connection, FieldId::upgrade,
                           FieldId::expect, FieldId::keep_alive, FieldId::proxy_authorization})
    require(request.headers.count(id) == 0, "fields of this hop are gone");
  require(head.framing.kind != Framing::Kind::kUntilClose, "a request never lasts until the end of the connection");
  return 0;
}
