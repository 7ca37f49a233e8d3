// A header is the same header whatever follows it, and no prefix of it is one.
#include "http/proxy_protocol.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using gatehouse::parse_proxy_header;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = parse_proxy_header(bytes);
  if (!whole) return 0;
  if (!whole->header) {
    if (whole->length <= size) std::abort();
    return 0;
  }
  if (whole->length > size || whole->length > gatehouse::kMaxProxyHeader) std::abort();
  for (std::size_t given = 0; given < whole->length; ++given) {
    const auto part = parse_proxy_header(bytes.substr(0, given));
    if (!part || part->header || part->length <= given || part->length > whole->length) std::abort();
  }
  const auto alone = parse_proxy_header(bytes.substr(0, whole->length));
  if (!alone || !alone->header || alone->length != whole->length) std::abort();
  return 0;
}
