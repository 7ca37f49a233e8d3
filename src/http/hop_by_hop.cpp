#include "http/hop_by_hop.hpp"

#include "http/syntax.hpp"

namespace gatehouse::http {
namespace {

constexpr bool hop_by_hop(FieldId id) noexcept {
  switch (id) {
    case FieldId::connection:
    case FieldId::content_length:
    case FieldId::expect:
    case FieldId::keep_alive:
    case FieldId::proxy_authenticate:
    case FieldId::proxy_authorization:
    case FieldId::proxy_connection:
    case FieldId::te:
    case FieldId::transfer_encoding:
    case FieldId::upgrade:
      return true;
    default:
      return false;
  }
}

}  // namespace

void remove_hop_by_hop(Headers& headers) {
  // Names listed in Connection that are no known field: only these may be hop-by-hop extensions.
  constexpr std::size_t kMost = 32;
  std::string_view listed[kMost];
  std::size_t count = 0;
  for (const Field& field : headers)
    if (field.id == FieldId::connection)
      for_each_element(field.value, [&](std::string_view option) {
        if (field_id(option) == FieldId::other && !equals_ignoring_case(option, "close") && count < kMost)
          listed[count++] = option;
        return true;
      });
  headers.remove_if([&](const Field& field) {
    if (hop_by_hop(field.id)) return true;
    if (field.id != FieldId::other) return false;
    for (std::size_t i = 0; i < count; ++i)
      if (equals_ignoring_case(listed[i], field.name)) return true;
    return false;
  });
}

}  // namespace gatehouse::http
