// Names and the values behind them: what a separator, a quote or a bracket gives to a name.
#include "observe/redact_scan.hpp"
#include "observe/redact_text.hpp"

namespace gatehouse {
namespace {

constexpr std::size_t kLongestSuspect = 600;

}  // namespace

void RedactScan::on_separator(std::size_t at) {
  const char next = at + 1 < text_.size() ? text_[at + 1] : '\0';
  const char previous = at > 0 ? text_[at - 1] : '\0';
  if (text_[at] == ':') {
    if (next == ':' || previous == ':' || next == '=') return;
    if ((next == '/' || next == '\\') && on_url(at)) return;
    if (on_user_and_password(at)) return;
  } else if (next == '=' || previous == '=' || previous == '!' || previous == '<' || previous == '>') {
    return;
  }
  const WrittenName name = name_before(text_, at);
  if (!name.found()) return;
  std::string scratch;
  const std::string_view spelled = spelled_out(text_.substr(name.begin, name.end - name.begin), scratch);
  Verdict verdict = rules_.names.judge(spelled);
  // In a sentence the name may be two words: `API key: x`.
  if (verdict != Verdict::kHarmless && verdict != Verdict::kSensitive && name.quote == 0 && name.begin > 1 &&
      text_[name.begin - 1] == ' ') {
    std::size_t word = name.begin - 1;
    while (word > 0 && name.begin - word < 32 && is_alnum(text_[word - 1])) --word;
    if (rules_.names.judge(text_.substr(word, name.end - word)) == Verdict::kSensitive) verdict = Verdict::kSensitive;
  }
  if (verdict == Verdict::kHarmless) {
    // multipart/form-data names its field in an attribute: name="password"
    if (text_[at] == '=' && equals_ignoring_case(spelled, "name")) form_value(at + 1);
    return;
  }
  value_of(name, next == '>' && text_[at] == '=' ? at + 2 : at + 1, verdict);
}

// `Content-Disposition: form-data; name="password"`, an empty line, the value.
void RedactScan::form_value(std::size_t at) {
  if (at >= text_.size() || text_[at] != '"') return;
  const std::size_t quote = text_.substr(0, std::min(text_.size(), at + 100)).find('"', at + 1);
  if (quote == std::string_view::npos ||
      rules_.names.judge(text_.substr(at + 1, quote - at - 1)) != Verdict::kSensitive)
    return;
  for (const std::string_view gap :
       {std::string_view("\r\n\r\n"), std::string_view("\n\n"), std::string_view("\\r\\n\\r\\n")}) {
    if (text_.compare(quote + 1, gap.size(), gap) != 0) continue;
    const std::size_t begin = quote + 1 + gap.size();
    const std::size_t end = std::min(text_.find(gap.substr(0, gap.size() / 2), begin), text_.size());
    if (end == text_.size() && needs_more(at, begin, Open::kLine)) return;
    return hide(begin, json_string_end(text_, begin, end));
  }
}

void RedactScan::value_of(const WrittenName& name, std::size_t at, Verdict verdict) {
  const std::string_view written = text_.substr(name.begin, name.end - name.begin);
  const Holder holder = ends_with_ignoring_case(written, "cookie") || ends_with_ignoring_case(written, "cookies") ? Holder::kCookies
                        : ends_with_ignoring_case(written, "authorization")                         ? Holder::kAuthorization
                                                                                      : Holder::kField;
  std::size_t value = skip_blanks(at, name.quote != 0);
  if (value >= text_.size()) {
    needs_more(name.begin, text_.size(), Open::kBare);
    return;
  }
  // `password= user=ann`: no value.
  if (value > at && text_[at - 1] == '=' && name.end + 1 == at && pair_follows(text_, value)) return;
  value = skip_wrapper(text_, value);
  std::size_t quote = value;
  while (quote < text_.size() && text_[quote] == '\\' && quote - value < 16) ++quote;
  if (quote >= text_.size()) {
    needs_more(name.begin, text_.size(), Open::kBare);
    return;
  }
  const char c = text_[quote];
  // In the next line only what JSON would put there is the value.
  const bool next_line = text_.substr(at, value - at).find('\n') != std::string_view::npos;
  if (next_line && std::string_view("\"'{[-0123456789").find(c) == std::string_view::npos) return;
  // `{"m":"the 'password' is ","n":1}`: this quote ends a text.
  if (c == '"' && name.quote != '"' && structure_follows(text_, quote + 1)) return;
  if (c == name.quote && quote - value < name.backslashes) return;
  if (c == '"' || c == '\'' || c == '`') return quoted_value(name, quote, quote - value, holder, verdict);
  if (verdict == Verdict::kSensitive && (c == '{' || c == '[')) return container(name, value);
  // PHP's print_r and XML in attributes aside, a value may stand in parentheses: Key (token)=(x).
  if (c == '(' && quote == value) ++value;
  bare_value(name, value, holder, verdict);
}

void RedactScan::quoted_value(const WrittenName& name, std::size_t quote, std::size_t backslashes, Holder holder,
                              Verdict verdict) {
  const std::size_t begin = quote + 1;
  // A quote that is never closed must not swallow the opening one of the next line's secret.
  const std::size_t line = text_.find('\n', begin);
  std::size_t end = quoted_end(text_.substr(0, line), begin, text_[quote], backslashes);
  if (end == std::string_view::npos) {
    if (line == std::string_view::npos && needs_more(name.begin, begin, Open::kQuoted, text_[quote], backslashes))
      return;
    end = std::min(line, text_.size());
  }
  // What stands in single quotes may itself stand in a JSON string, and must not reach beyond it.
  if (text_[quote] != '"') end = json_string_end(text_, begin, end);
  const std::string_view value = text_.substr(begin, end - begin);
  if (value.empty()) return;
  if (verdict == Verdict::kInUrl && !in_url(name, end)) return;
  if (verdict == Verdict::kSuspect && !looks_random(value)) return;
  hide_held(begin, end, holder);
}

bool RedactScan::in_url(const WrittenName& name, std::size_t value_end) const noexcept {
  if (value_end < text_.size() && text_[value_end] == '&') return true;
  if (name.begin == 0) return false;
  const char before = text_[name.begin - 1];
  if (before == '?' || before == '&' || before == '#') return true;
  // \u0026name, %26name, %3Fname
  if (name.begin >= 6 && text_.compare(name.begin - 6, 6, "\\u0026") == 0) return true;
  return text_.substr(name.begin, name.end - name.begin).find('%') != std::string_view::npos;
}

void RedactScan::bare_value(const WrittenName& name, std::size_t at, Holder holder, Verdict verdict) {
  const std::size_t window =
      verdict == Verdict::kSensitive ? text_.size() : std::min(text_.size(), at + kLongestSuspect);
  // YAML's blocks: the value is the next line.
  for (const std::string_view mark : {"|\n", ">\n", "|-\n", ">-\n"})
    if (verdict == Verdict::kSensitive && text_.compare(at, mark.size(), mark) == 0) {
      const std::size_t begin = skip_blanks(at + mark.size(), false);
      // All of it, quotes as well: a line break as it is stands in no JSON string that would have to stay one.
      const std::size_t line = std::min(text_.find('\n', begin), text_.size());
      if (line == text_.size() && needs_more(name.begin, begin, Open::kLine)) return;
      // What is not indented is no part of the block, and is looked at by itself.
      if (begin != at + mark.size()) hide(begin, line);
      return;
    }
  std::size_t end = bare_end(text_.substr(0, window), at);
  if (end == text_.size() && needs_more(name.begin, at, Open::kBare)) return;
  const std::string_view value = text_.substr(at, end - at);
  if (value.empty() || is_literal(value)) return;
  const std::string_view written = text_.substr(name.begin, name.end - name.begin);
  const char separator = name.end < text_.size() ? text_[name.end] : '\0';

  if (verdict == Verdict::kSuspect) {
    if (looks_random(value) || (in_url(name, end) && value.size() >= kShortestInUrl)) hide(at, end);
    return;
  }
  if (verdict == Verdict::kInUrl) {
    if (in_url(name, end) && value.size() >= kShortestInUrl) hide(at, end);
    return;
  }
  if (separator == ':' && is_type_name(value)) {
    // password: str = "x"
    const std::size_t equals_sign = skip_blanks(end, false);
    if (equals_sign < text_.size() && text_[equals_sign] == '=') value_of(name, equals_sign + 1, verdict);
    return;
  }
  // The shell's working directory, and the counts of test runners.
  if (equals_ignoring_case(written, "pwd") && value.front() == '/') return;
  if (equals_ignoring_case(written, "pass") && separator == ':' && value.size() <= 4 &&
      std::all_of(value.begin(), value.end(), is_digit))
    return;
  if (name.quote != 0) return hide_quoted(at, end, name);

  if (holder == Holder::kCookies) {
    if (value.find('=') == std::string_view::npos) return;
    end = line_end(text_, at);
    if (end == text_.size() && needs_more(name.begin, at, Open::kLine)) return;
    return hide_held(at, end, holder);
  }
  if (holder == Holder::kAuthorization) {
    const std::size_t line = line_end(text_, at);
    const TextSpan rest = credentials(text_, {at, line});
    if (rest.begin == at) return hide(at, end);
    // Bearer and Basic have one token, the other schemes a list of parameters, quoted ones too.
    if (equals_ignoring_case(value, "bearer") || equals_ignoring_case(value, "basic") || equals_ignoring_case(value, "token")) {
      end = bare_end(text_.substr(0, rest.end), rest.begin);
      if (end == text_.size() && needs_more(name.begin, rest.begin, Open::kBare)) return;
      return hide(rest.begin, end);
    }
    const std::size_t parameters = parameters_end(text_, rest.begin);
    if (parameters == text_.size() && needs_more(name.begin, rest.begin, Open::kLine)) return;
    return hide(rest.begin, parameters);
  }
  if (starts_line(text_, name.begin)) {
    // YAML, properties and headers: the value is the rest of the line, unless the line is a list of pairs.
    const std::size_t line = rest_of_line(text_, at);
    if (line == text_.size() && needs_more(name.begin, at, Open::kLine)) return;
    const std::size_t pair = next_pair(text_, end, line);
    if (pair == std::string_view::npos && text_.compare(end, 1, "&") != 0 && text_.compare(end, 1, ",") != 0 &&
        text_.compare(end, 1, ";") != 0)
      end = std::max(end, line);
  }
  hide(at, end);
}

// {"credentials": {...}}: names stay, every value goes.
void RedactScan::container(const WrittenName& name, std::size_t at) {
  constexpr std::string_view marks[] = {"[REDACTED]", "[FILTERED]", "[Filtered]",
                                        "[redacted]", "[filtered]", "[HIDDEN]"};
  for (const auto mark : marks)
    if (text_.compare(at, mark.size(), mark) == 0) {
      position_ = at + mark.size();
      return;
    }
  // Prose may open a bracket and never close it; what has quoted names is data, of any number of lines.
  std::size_t limit = name.quote != 0 ? text_.size() : std::min(text_.find('\n', at), text_.size());
  if (name.quote != '"' || name.backslashes != 0) limit = json_string_end(text_, at, limit);
  std::size_t end = container_end(text_.substr(0, limit), at);
  if (end == std::string_view::npos) {
    if (limit == text_.size() && needs_more(name.begin, at + 1, Open::kLine)) return;
    end = limit;
  }
  hide_leaves(name, at, end);
  position_ = std::max(position_, end);
}

void RedactScan::hide_leaves(const WrittenName& name, std::size_t begin, std::size_t stop) {
  const std::string_view text = text_.substr(0, stop);
  const auto is_key = [&](std::size_t behind) {
    const std::size_t next = std::min(skip_blanks(behind, true), stop);
    return next < stop && (text[next] == ':' || text[next] == '=');
  };
  for (std::size_t i = begin; i < stop;) {
    const char c = text[i];
    if (c == '"' || c == '\'' || c == '\\') {
      std::size_t quote = i;
      while (quote < stop && text[quote] == '\\') ++quote;
      if (quote == stop) break;
      if (text[quote] != '"' && text[quote] != '\'') {
        i = quote + (text[quote] == 'u' ? 5 : 1);  // \u0026 is one character
        continue;
      }
      const std::size_t end = std::min(quoted_end(text, quote + 1, text[quote], quote - i), stop);
      const std::size_t behind = std::min(end + (quote - i) + 1, stop);
      if (end == stop || !is_key(behind)) hide(quote + 1, end);
      i = behind;
    } else if (is_alnum(c) || c == '_' || c == '-' || c == '.' || c == '*' || static_cast<unsigned char>(c) >= 0x80) {
      const std::size_t end = std::min(text.find_first_of(" \t\r\n,:;{}[]\"'=>\\&", i), stop);
      const bool number = is_digit(c) || c == '-';
      if (is_literal(text.substr(i, end - i)) || is_key(end))
        position_ = end;
      else if (number && name.quote != 0 && end != stop)
        hide_quoted(i, end, name);
      else
        hide(i, end);
      i = end;
    } else {
      ++i;
    }
  }
}

}  // namespace gatehouse
