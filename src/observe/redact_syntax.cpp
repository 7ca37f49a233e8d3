#include "observe/redact_syntax.hpp"

#include "observe/redact_tokens.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

constexpr std::size_t kLongestName = 96;
constexpr std::size_t kBlanks = 16;

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
constexpr bool is_space(char c) noexcept { return is_blank(c) || c == '\n' || c == '\r' || c == '\v' || c == '\f'; }
constexpr bool is_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr int hex_value(char c) noexcept { return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10; }
constexpr bool is_bare_name(char c) noexcept {
  return is_token_char(c) || c == '.' || c == '$' || c == '[' || c == ']' || c == '%' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// The start of an `ESC [ ... m` that ends before `at`, else `at`.
std::size_t before_color(std::string_view text, std::size_t at) noexcept {
  if (at < 3 || text[at - 1] != 'm') return at;
  std::size_t i = at - 1;
  while (i > 0 && at - i < 12 && (is_digit(text[i - 1]) || text[i - 1] == ';')) --i;
  return i >= 2 && text[i - 1] == '[' && text[i - 2] == '\x1b' ? i - 2 : at;
}

std::size_t backslashes_before(std::string_view text, std::size_t at) noexcept {
  std::size_t count = 0;
  while (count < at && count < 16 && text[at - count - 1] == '\\') ++count;
  return count;
}

// What stands behind a closing bracket or a terminator of a value when it really is one.
bool ends_there(std::string_view text, std::size_t at) noexcept {
  if (at >= text.size()) return true;
  const char c = text[at];
  return is_space(c) || c == ',' || c == ';' || c == ')' || c == ']' || c == '}' || c == '"' || c == '\'' || c == '.' ||
         c == '\\' || c == ':' || c == '>' || c == '<' || c == '|' || c == '&';
}

// ` name=`, `name:` at `at`, blanks before it allowed.
bool is_pair(std::string_view text, std::size_t at, std::size_t end) noexcept {
  while (at < end && is_blank(text[at])) ++at;
  const std::size_t name = at;
  while (at < end && at - name < kLongestName && is_bare_name(text[at])) ++at;
  return at > name && at < end && (text[at] == '=' || text[at] == ':') && is_alpha(text[name]);
}

}  // namespace

WrittenName quoted_before(std::string_view text, std::size_t at) noexcept {
  WrittenName name;
  name.quote = text[at];
  name.backslashes = backslashes_before(text, at);
  name.end = at - name.backslashes;
  std::size_t i = name.end;
  const std::size_t limit = i > kLongestName ? i - kLongestName : 0;
  while (i > limit && text[i - 1] != name.quote && text[i - 1] != '\n') --i;
  if (i == 0 || text[i - 1] != name.quote) return {};
  name.begin = i;
  return name;
}

WrittenName name_before(std::string_view text, std::size_t at) noexcept {
  std::size_t i = at;
  if (i > 0 && text[i - 1] == ':') --i;  // `:=`
  const std::size_t limit = i > kBlanks ? i - kBlanks : 0;
  while (i > limit && is_blank(text[i - 1])) --i;
  i = before_color(text, i);
  if (i == 0) return {};
  const char last = text[i - 1];
  if (last == '"' || last == '\'' || last == '`') return quoted_before(text, i - 1);
  // environ['NAME'], (name)=
  if ((last == ']' || last == ')') && i >= 2 && (text[i - 2] == '"' || text[i - 2] == '\''))
    return quoted_before(text, i - 2);
  if (last == ')') --i;
  WrittenName name;
  name.end = i;
  const std::size_t first = i > kLongestName ? i - kLongestName : 0;
  while (i > first && is_bare_name(text[i - 1])) --i;
  // \u0026name and \nname: the escape belongs to what stands before.
  if (i > 0 && text[i - 1] == '\\' && i < name.end) {
    if (text[i] == 'u' && name.end - i > 5)
      i += 5;
    else if (text[i] == 'n' || text[i] == 'r' || text[i] == 't')
      ++i;
  }
  name.begin = i;
  return name;
}

std::string_view spelled_out(std::string_view name, std::string& scratch) {
  if (std::none_of(name.begin(), name.end(), [](char c) { return c == '%' || c == '\\'; })) return name;
  scratch.clear();
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool percent = name[i] == '%' && i + 2 < name.size() && is_hex(name[i + 1]) && is_hex(name[i + 2]);
    const bool unicode = name[i] == '\\' && i + 5 < name.size() && name[i + 1] == 'u' &&
                         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(i + 2),
                                     name.begin() + static_cast<std::ptrdiff_t>(i + 6), is_hex);
    if (percent) {
      scratch += static_cast<char>(hex_value(name[i + 1]) << 4 | hex_value(name[i + 2]));
      i += 2;
    } else if (unicode) {
      scratch += static_cast<char>(hex_value(name[i + 4]) << 4 | hex_value(name[i + 5]));
      i += 5;
    } else {
      scratch += name[i];
    }
  }
  return scratch;
}

std::size_t quoted_end(std::string_view text, std::size_t from, char quote, std::size_t backslashes) noexcept {
  std::size_t slashes = 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++slashes;
      continue;
    }
    if (text[i] == quote) {
      // Each level of quoting doubles the backslashes and adds one; an odd rest means that the quote is part of the
      // text.
      if (slashes < backslashes) return i - slashes;
      if ((slashes - backslashes) / (backslashes + 1) % 2 == 0) return i - backslashes;
    }
    slashes = 0;
  }
  return std::string_view::npos;
}

std::size_t container_end(std::string_view text, std::size_t at) noexcept {
  std::size_t depth = 0;
  for (std::size_t i = at; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return i + 1;
    } else if (c == '"' || c == '\'' || c == '\\') {
      std::size_t quote = i;
      while (quote < text.size() && text[quote] == '\\') ++quote;
      if (quote >= text.size()) return std::string_view::npos;
      if (text[quote] == '"' || text[quote] == '\'') {
        const std::size_t end = quoted_end(text, quote + 1, text[quote], quote - i);
        if (end == std::string_view::npos) return end;
        i = end + (quote - i);
      } else {
        i = quote;
      }
    }
  }
  return std::string_view::npos;
}

namespace {

// A run of backslashes is one escape, of whatever depth: a value must end before it or behind it.
std::size_t behind_backslashes(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() && text[at] == '\\') ++at;
  return at;
}

// How many characters at the backslashes at `at` belong to a value without quotes; 0: the value ends here.
std::size_t escape_in_value(std::string_view text, std::size_t at) noexcept {
  const std::size_t behind = behind_backslashes(text, at);
  const std::size_t count = behind - at;
  if (behind >= text.size()) return count;
  const char c = text[behind];
  if (c == '"') return count == 1 && behind + 1 < text.size() && is_alnum(text[behind + 1]) ? 2 : 0;
  if (c == 'n' || c == 'r' || c == 't') return 0;
  if (c != 'u' || count % 2 == 0) return count;
  // \u0026 is what `&` becomes in some JSON; such an escape ends a value where its character would.
  const std::string_view code = text.substr(behind + 1, 4);
  for (const std::string_view end :
       {"0026", "0022", "0027", "003c", "003C", "003e", "003E", "000a", "000A", "000d", "000D", "0020"})
    if (code == end) return 0;
  return count;
}

}  // namespace

std::size_t bare_end(std::string_view text, std::size_t from) noexcept {
  std::size_t i = from;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (is_space(c) || c == '&' || c == '<' || c == '`') break;
    // An apostrophe inside a word is part of it.
    if ((c == '"' || c == '\'') && (i + 1 >= text.size() || !is_alnum(text[i + 1]) || i == from)) break;
    if ((c == ')' || c == ']' || c == '}' || c == '>') && ends_there(text, i + 1)) break;
    if ((c == ',' || c == ';' || c == '|') && (ends_there(text, i + 1) || is_pair(text, i + 1, text.size()))) break;
    if (c == '\\') {
      const std::size_t size = escape_in_value(text, i);
      if (size == 0) break;
      i += size - 1;
    }
  }
  i = std::min(i, text.size());
  // The full stop that ends a sentence.
  if (i > from + 1 && text[i - 1] == '.' && (i == text.size() || is_space(text[i]))) --i;
  return i;
}

std::size_t encoded_end(std::string_view text, std::size_t from) noexcept {
  const std::size_t end = bare_end(text, from);
  for (std::size_t i = from; i + 2 < end; ++i) {
    if (text[i] != '%') continue;
    std::size_t digits = i + 1;
    while (text.compare(digits, 2, "25") == 0) digits += 2;  // encoded more than once
    const std::string_view code = text.substr(digits, 2);
    if (code == "26" || code == "23" || code == "22" || code == "20" || code == "3B" || code == "3b" || code == "0A" ||
        code == "0D" || code == "2C" || code == "7D")
      return i;
  }
  return end;
}

std::size_t line_end(std::string_view text, std::size_t from) noexcept {
  std::size_t i = from;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n' || c == '\r' || c == '"' || c == '\'') break;
    if (c != '\\') continue;
    const std::size_t behind = behind_backslashes(text, i);
    if (behind < text.size() && (text[behind] == 'n' || text[behind] == 'r' || text[behind] == '"')) break;
    i = behind - 1;
  }
  i = std::min(i, text.size());
  while (i > from && is_blank(text[i - 1])) --i;
  return i;
}

bool structure_follows(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at >= text.size() || std::string_view(",}]:\r\n").find(text[at]) != std::string_view::npos;
}

std::size_t json_string_end(std::string_view text, std::size_t from, std::size_t to) noexcept {
  bool escaped = false;
  for (std::size_t i = from; i < to; ++i) {
    if (text[i] == '"' && !escaped && structure_follows(text, i + 1)) return i;
    escaped = text[i] == '\\' && !escaped;
  }
  return to;
}

std::size_t rest_of_line(std::string_view text, std::size_t from) noexcept {
  std::size_t i = from;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n' || c == '\r') break;
    if ((c == '"' || c == '\'') && structure_follows(text, i + 1)) break;
    if (c != '\\') continue;
    const std::size_t behind = behind_backslashes(text, i);
    const char next = behind < text.size() ? text[behind] : '\0';
    const std::size_t count = behind - i;
    if (next == 'n' || next == 'r') break;
    if (next == '"' && (count > 1 || structure_follows(text, behind + 1))) break;
    if (count == 2 && structure_follows(text, behind)) break;
    i = behind - 1;
  }
  while (i > from && is_blank(text[i - 1])) --i;
  return i;
}

std::size_t parameters_end(std::string_view text, std::size_t from) noexcept {
  for (std::size_t i = from;;) {
    const std::size_t end = line_end(text, i);
    std::size_t quote = end;
    while (quote < text.size() && text[quote] == '\\') ++quote;
    if (end == from || quote >= text.size() || text[quote] != '"' || text[end - 1] != '=') return end;
    const std::size_t close = quoted_end(text, quote + 1, '"', quote - end);
    if (close == std::string_view::npos) return end;
    i = close + (quote - end) + 1;
    if (i >= text.size() || text[i] == '\n') return i;
  }
}

bool starts_line(std::string_view text, std::size_t at) noexcept {
  const std::size_t limit = at > 64 ? at - 64 : 0;
  while (at > limit && (is_blank(text[at - 1]) || text[at - 1] == '-' || text[at - 1] == '>' || text[at - 1] == '*'))
    --at;
  return at == 0 || text[at - 1] == '\n' || text[at - 1] == '\r' ||
         (at >= 2 && text[at - 2] == '\\' && text[at - 1] == 'n');
}

bool pair_follows(std::string_view text, std::size_t at) noexcept { return is_pair(text, at, text.size()); }

std::size_t next_pair(std::string_view text, std::size_t from, std::size_t end) noexcept {
  for (std::size_t i = from; i < end; ++i)
    if (is_blank(text[i]) && is_pair(text, i, end)) return i;
  return std::string_view::npos;
}

bool is_literal(std::string_view value) noexcept {
  constexpr std::string_view literals[] = {"true", "false",     "null", "None",  "True", "False",
                                           "nil",  "undefined", "NULL", "<nil>", "none"};
  return std::find(std::begin(literals), std::end(literals), value) != std::end(literals);
}

bool is_type_name(std::string_view value) noexcept {
  constexpr std::string_view types[] = {
      "str",    "string",    "String",  "bytes",  "int",     "bool",      "boolean", "Boolean",     "text",    "any",
      "object", "SecretStr", "String!", "number", "unknown", "interface", "char*",   "std::string", "String?", "&str"};
  return std::find(std::begin(types), std::end(types), value) != std::end(types) || value.starts_with("Optional[") ||
         value.starts_with("Option<") || value.starts_with("varchar");
}

std::size_t skip_wrapper(std::string_view text, std::size_t at) noexcept {
  constexpr std::size_t kLongestWrapper = 24;
  std::size_t i = at;
  while (i < text.size() && i - at < kLongestWrapper && (is_alnum(text[i]) || text[i] == '_' || text[i] == '.')) ++i;
  if (i >= text.size()) return at;
  const auto quote_at = [&](std::size_t where) {
    return where < text.size() && (text[where] == '"' || text[where] == '\'');
  };
  if (quote_at(i)) return i - at <= 2 ? i : at;
  if (text[i] != '(') return at;
  if (quote_at(i + 1) && i > at) return i + 1;
  while (i + 1 < text.size() && is_digit(text[i + 1])) ++i;
  return text.compare(i + 1, 2, ") ") == 0 && quote_at(i + 3) ? i + 3 : at;
}

}  // namespace gatehouse
