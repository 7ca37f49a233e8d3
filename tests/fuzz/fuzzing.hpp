// What the fuzz targets of messages share.
#pragma once

#include "http/syntax.hpp"

#include <gatehouse/message.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace gatehouse::http {

// Stays in every build, unlike assert().
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// Fields that any other reader takes for the same fields.
inline void require_clean(const Headers& headers) {
  for (const Field& field : headers) {
    require(is_token(field.name), "a name is a token");
    require(all(kFieldByte, field.value), "a value holds no control byte");
    require(field.value == trim(field.value), "a value has no white space around it");
    require(field.id == field_id(field.name), "a field has the id of its name");
  }
}

}  // namespace gatehouse::http
