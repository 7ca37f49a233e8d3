// How names and values are written in logs: JSON (also inside JSON strings), literals of programming languages, logfmt,
// headers, forms, YAML, XML. Pure functions over a text and a place in it; each looks at most a bounded way back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gatehouse {

// A name, and how it is quoted.
struct WrittenName {
  std::size_t begin = 0;
  std::size_t end = 0;
  char quote = 0;               // " or ', 0 where there is none
  std::size_t backslashes = 0;  // in front of each quote: 1 for JSON inside a JSON string
  bool found() const noexcept { return end > begin; }
};

// No function looks back further than this from where it starts.
inline constexpr std::size_t kLookBack = 160;

// The name that ends right before `at`, blanks and terminal colours between them aside.
WrittenName name_before(std::string_view text, std::size_t at) noexcept;
// The quoted text that ends with the quote at `at`.
WrittenName quoted_before(std::string_view text, std::size_t at) noexcept;
// What the name says once `%70` and `\u0070` are read as the reader would; views `scratch` or `text`.
std::string_view spelled_out(std::string_view name, std::string& scratch);

// Position of the quote (its backslashes included) that ends a text in quotes; npos when there is none.
std::size_t quoted_end(std::string_view text, std::size_t from, char quote, std::size_t backslashes) noexcept;
// Behind the bracket that closes the one at `at`, brackets in quotes aside; npos when there is none.
std::size_t container_end(std::string_view text, std::size_t at) noexcept;
// Where a value without quotes ends.
std::size_t bare_end(std::string_view text, std::size_t from) noexcept;
// The same in text where `%26` stands for `&`.
std::size_t encoded_end(std::string_view text, std::size_t from) noexcept;
// The end of the line, or of the string that holds it, without trailing blanks: the first quote ends it.
std::size_t line_end(std::string_view text, std::size_t from) noexcept;
// The same for a value that may hold quotes: only one with a comma or a bracket behind it ends it.
std::size_t rest_of_line(std::string_view text, std::size_t from) noexcept;
// The same for `name="value", name=value` lists.
std::size_t parameters_end(std::string_view text, std::size_t from) noexcept;
// Where in [from, to) a double quote ends the JSON string that all of it may stand in; `to` when none does.
std::size_t json_string_end(std::string_view text, std::size_t from, std::size_t to) noexcept;
// Whether a quote that stands before `at` ended something there: a comma, a bracket, a colon or the end follows.
bool structure_follows(std::string_view text, std::size_t at) noexcept;
// Whether nothing but indentation and list marks stands between the line's start and `at`.
bool starts_line(std::string_view text, std::size_t at) noexcept;
// Whether `name=` or `name:` stands at `at`.
bool pair_follows(std::string_view text, std::size_t at) noexcept;
// Where ` name=` or ` name:` follows before `end`: the blank in front of it.
std::size_t next_pair(std::string_view text, std::size_t from, std::size_t end) noexcept;

// true, null, None and the like: tell nothing.
bool is_literal(std::string_view value) noexcept;
// Names of types in annotations: `password: str`.
bool is_type_name(std::string_view value) noexcept;
// `u'`, `b"`, `Some("`, `string(8) "`: where the quote is, or `at` when nothing of the kind stands there.
std::size_t skip_wrapper(std::string_view text, std::size_t at) noexcept;

}  // namespace gatehouse
