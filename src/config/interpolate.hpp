// `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$${` in a text. What a variable holds is text and nothing
// else: it is not read again, and cannot change the structure of the file.
#pragma once

#include "config/load.hpp"

namespace gatehouse {

struct Interpolated {
  std::string text;
  std::string variable;                // the first one that was asked for; empty: none
  std::optional<std::string> problem;  // a sentence; never holds a value
};

Interpolated interpolate(std::string_view text, const Environment& environment);
// `text` written so that interpolate() gives it back.
std::string escape_variables(std::string_view text);

}  // namespace gatehouse
