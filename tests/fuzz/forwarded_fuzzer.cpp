// The first byte says how the rest is read: as X-Forwarded-For or Forwarded, one field a line. Whatever a client puts
// in front of what a trusted proxy wrote, the proxy's word stands.
#include "http/forwarded.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace gatehouse;

const IpAddress kPeer = IpAddress::v4(0x0a000001);
const IpAddress kClient = IpAddress::v4(0x01020304);

ForwardedRules rules(ForwardedSource source) {
  const Cidr trusted[] = {{IpAddress::v4(0x0a000000), 104}};
  ForwardedRules rules;
  rules.trusted = CidrSet(trusted);
  rules.source = source;
  return rules;
}

SettledClient settle(std::string_view text, std::string_view appended, ForwardedSource source) {
  Arena arena;
  Headers headers(arena);
  const bool rfc7239 = source == ForwardedSource::kForwarded;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const bool last = text.empty();
    headers.add(rfc7239 ? "forwarded" : "x-forwarded-for",
                last && !appended.empty() ? arena.join({line, ", ", appended}) : line);
    headers.add("x-forwarded-proto", line);
  }
  return settle_client(kPeer, headers, rules(source));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto source = (data[0] & 1) != 0 ? ForwardedSource::kForwarded : ForwardedSource::kXForwardedFor;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto free = settle(text, "", source);
  if (parse_address(format_address(free.address)).value() != free.address) std::abort();
  if (!text.ends_with('\n')) {
    const bool rfc7239 = source == ForwardedSource::kForwarded;
    if (settle(text, rfc7239 ? "for=1.2.3.4;proto=https" : "1.2.3.4", source).address != kClient) std::abort();
    if (settle(text, rfc7239 ? "for=unknown" : "unknown", source).address != kPeer) std::abort();
  }
  if (const auto cidr = parse_cidr(text))
    if (const auto again = parse_cidr(format_cidr(*cidr)); !again || again->network != cidr->network) std::abort();
  return 0;
}
