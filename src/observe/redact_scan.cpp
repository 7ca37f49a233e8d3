#include "observe/redact_scan.hpp"

#include "observe/redact_blocks.hpp"

#include <algorithm>
#include <bit>

namespace gatehouse {
namespace {

using Verdict = SensitiveNames::Verdict;

constexpr std::size_t kLongestUserInfo = 512;
constexpr std::size_t kLongestToken = 4096;
// Shorter values of names that are only secret in URLs say too little to be one (`?state=CA`).
constexpr std::size_t kShortestInUrl = 4;
constexpr std::size_t kLongestSuspect = 600;

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
constexpr bool is_space(char c) noexcept { return is_blank(c) || c == '\n' || c == '\r'; }

bool equals(std::string_view text, std::string_view lower) noexcept {
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b;
         });
}

// A path, a domain, a date, a number: nothing that could hold a pair of its own.
bool is_attribute_value(std::string_view text) noexcept {
  constexpr std::string_view others = "/.:, -_+";
  return std::all_of(text.begin() + (text.empty() ? 0 : 1), text.end(),
                     [&](char c) { return is_alnum(c) || others.find(c) != std::string_view::npos; });
}

bool ends_with(std::string_view text, std::string_view lower) noexcept {
  return text.size() >= lower.size() && equals(text.substr(text.size() - lower.size()), lower);
}

}  // namespace

RedactScan::RedactScan(const RedactRules& rules, std::string_view text, std::size_t from, End end, std::string& out)
    : rules_(rules), text_(text), final_(end == End::kFinal), out_(out), position_(from), copied_(from), told_(from) {}

void RedactScan::run() {
  // The last bytes of a piece are judged together with the next one, which may say what they belong to; whole lines are
  // not kept waiting.
  std::size_t safe = text_.size();
  if (!final_ && !text_.ends_with('\n')) {
    const std::size_t kept = std::min(safe, kLookBack);
    const std::size_t newline = text_.substr(safe - kept).rfind('\n');
    safe = std::max(position_, newline == std::string_view::npos ? safe - kept : safe - kept + newline + 1);
  }
  InterestingBytes bytes(text_, position_ / 64 * 64);
  while (!bytes.done() && !waiting_) {
    const InterestingBytes::Block block = bytes.next();
    if (block.begin >= safe) break;
    for (std::uint64_t places = block.places; places != 0 && !waiting_; places &= places - 1) {
      const int bit = std::countr_zero(places);
      const std::size_t at = block.begin + static_cast<std::size_t>(bit);
      if (at < position_) continue;
      if (at >= safe) break;
      look_at(at, block.runs >> bit & 1, block.cards >> bit & 1);
    }
  }
  if (!waiting_) told_ = std::max(safe, position_);
  if (changed_) copy_up_to(told_);
}

void RedactScan::look_at(std::size_t at, bool run, bool card) {
  const std::size_t before = position_;
  if (run) on_run(at);
  if (card && !waiting_ && position_ == before) on_card(at);
  if (waiting_ || position_ != before) return;
  switch (text_[at]) {
    case ':':
    case '=':
      return on_separator(at);
    case '%':
      return on_percent(at);
    case ',':
      return on_tuple(at);
    case '>':
      return on_tag(at);
    case '"':
    case '\'':
      return on_quote_behind_word(at);
    case '-':
      return on_dashes(at);
    case ' ':
      return on_word(at);
    case '(':
      return on_dialled(at);
    case '@':
      return on_email(at);
    default:
      return;
  }
}

bool RedactScan::needs_more(std::size_t from, std::size_t secret, Open open, char quote, std::size_t backslashes) {
  if (final_) return false;
  waiting_ = true;
  told_ = std::max(from, copied_);
  open_secret_ = secret;
  open_ = open;
  open_quote_ = quote;
  open_backslashes_ = backslashes;
  return true;
}

RedactScan::Open RedactScan::hide_open_end() {
  if (!waiting_) return Open::kNothing;
  if (!changed_) copied_ = std::min(copied_, told_);
  changed_ = true;
  hide(std::max(open_secret_, copied_), text_.size());
  told_ = text_.size();
  return open_;
}

void RedactScan::copy_up_to(std::size_t at) {
  if (at > copied_) out_.append(text_, copied_, at - copied_);
  copied_ = std::max(copied_, at);
}

void RedactScan::hide(std::size_t begin, std::size_t end) {
  begin = std::max(begin, copied_);
  position_ = std::max(position_, end);
  if (begin >= end) return;
  const std::string_view secret = text_.substr(begin, end - begin);
  if (SecretHider::hidden_already(secret)) return;
  changed_ = true;
  copy_up_to(begin);
  rules_.hider.append(secret, out_);
  copied_ = end;
}

// A value that stands without quotes where its name has some: what takes its place needs quotes too.
void RedactScan::hide_quoted(std::size_t begin, std::size_t end, const WrittenName& like) {
  if (like.quote == 0) return hide(begin, end);
  changed_ = true;
  copy_up_to(begin);
  const std::string slashes(like.backslashes, '\\');
  out_.append(slashes) += like.quote;
  rules_.hider.append(text_.substr(begin, end - begin), out_);
  out_.append(slashes) += like.quote;
  copied_ = position_ = end;
}

void RedactScan::hide_held(std::size_t begin, std::size_t end, Holder holder) {
  if (holder == Holder::kAuthorization) {
    const TextSpan span = credentials(text_, {begin, end});
    hide(span.begin, span.end);
    position_ = std::max(position_, end);
    return;
  }
  if (holder == Holder::kField) return hide(begin, end);
  std::string hidden;
  append_cookies(rules_.hider, text_.substr(begin, end - begin), hidden, false);
  position_ = end;
  if (hidden == text_.substr(begin, end - begin)) return;
  changed_ = true;
  copy_up_to(begin);
  out_ += hidden;
  copied_ = end;
}

void RedactScan::append_cookies(const SecretHider& hider, std::string_view in, std::string& out, bool drop) {
  constexpr std::string_view attributes[] = {"path", "domain", "expires", "max-age", "samesite", "priority", "version"};
  const std::size_t start = out.size();
  for (std::size_t begin = 0; begin < in.size();) {
    std::size_t end = std::min(in.find(';', begin), in.size());
    while (begin < end && is_space(in[begin])) ++begin;
    const std::string_view pair = in.substr(begin, end - begin);
    const std::size_t equals_sign = pair.find('=');
    const std::string_view name = pair.substr(0, std::min(equals_sign, pair.size()));
    const bool attribute =
        begin > 0 && is_attribute_value(pair.substr(name.size())) &&
        std::any_of(std::begin(attributes), std::end(attributes), [&](std::string_view a) { return equals(name, a); });
    const bool flag = begin > 0 && (equals(pair, "httponly") || equals(pair, "secure") || equals(pair, "partitioned"));
    const bool dropped = drop && !attribute && !flag && !pair.empty();
    if (!dropped) {
      if (out.size() > start) out += in.substr(begin - 1, 1) == " " ? "; " : ";";
      const std::size_t value = attribute || flag                       ? pair.size()
                                : equals_sign == std::string_view::npos ? 0
                                                                        : equals_sign + 1;
      out += pair.substr(0, value);
      if (value < pair.size()) hider.append(pair.substr(value), out);
    }
    begin = end + 1;
  }
}

TextSpan RedactScan::credentials(std::string_view text, TextSpan value) noexcept {
  constexpr std::string_view schemes[] = {
      "bearer", "basic", "token",     "apikey", "api-key", "digest", "negotiate", "ntlm",   "aws4-hmac-sha256",
      "hawk",   "oauth", "signature", "key",    "hoba",    "mutual", "dpop",      "splunk", "bot"};
  std::size_t space = value.begin;
  while (space < value.end && !is_blank(text[space])) ++space;
  const std::string_view first = text.substr(value.begin, space - value.begin);
  if (std::none_of(std::begin(schemes), std::end(schemes),
                   [&](std::string_view scheme) { return equals(first, scheme); }))
    return value;
  while (space < value.end && is_blank(text[space])) ++space;
  return {space, value.end};
}

void RedactScan::on_run(std::size_t at) {
  std::size_t end = at;
  while (end < text_.size() && is_token_char(text_[end])) ++end;
  const bool open = end == text_.size() || text_.size() - end < 2;
  if (open && end - at < kLongestToken && needs_more(at, at, Open::kBare)) return;

  // The run may begin with what belongs to an escape in front of it: %3D, \n, \u003d.
  std::size_t start = at;
  if (at > 0 && text_[at - 1] == '%') start = at + 2;
  if (at > 0 && text_[at - 1] == '\\') start = text_[at] == 'u' ? at + 5 : at + 1;
  for (std::size_t i = start; i < end; ++i) {
    if (i != start && text_[i - 1] != '-' && text_[i - 1] != '_') continue;
    auto token = find_token(text_, i, end);
    if (!token && i == start) token = find_odd_token(text_, i, end);
    if (!token) continue;
    if (token->end == text_.size() && needs_more(std::min(at, token->begin), token->begin, Open::kBare)) return;
    return hide(token->begin, token->end);
  }
  if (const auto secret = find_scheme_credentials(text_, at)) {
    if (secret->end == text_.size() && needs_more(at, secret->begin, Open::kBare)) return;
    hide(secret->begin, secret->end);
  }
}

void RedactScan::on_card(std::size_t at) {
  if (const auto card = find_card(text_, at)) hide(card->begin, card->end);
}

void RedactScan::on_email(std::size_t at) {
  if (!rules_.emails) return;
  constexpr std::size_t kLongestLocal = 64, kLongestDomain = 255;
  std::size_t begin = at;
  while (begin > copied_ && at - begin < kLongestLocal &&
         (is_token_char(text_[begin - 1]) || text_[begin - 1] == '.' || text_[begin - 1] == '+'))
    --begin;
  std::size_t end = at + 1, dot = 0;
  while (end < text_.size() && end - at < kLongestDomain &&
         (is_alnum(text_[end]) || text_[end] == '-' || text_[end] == '.')) {
    if (text_[end] == '.' && end > at + 1 && end + 1 < text_.size() && is_alpha(text_[end + 1])) dot = end;
    ++end;
  }
  if (end == text_.size() && needs_more(begin, begin, Open::kBare)) return;
  while (end > at && (text_[end - 1] == '.' || text_[end - 1] == '-')) --end;
  // user:password in a URL, hidden before, is no address.
  const bool hidden =
      SecretHider::hidden_already(text_.substr(begin, at - begin)) || (begin > 0 && text_[begin - 1] == '*');
  if (begin < at && dot > at && dot < end && !hidden) hide(begin, end);
}

std::size_t RedactScan::skip_blanks(std::size_t at, bool lines) const noexcept {
  constexpr std::size_t kMost = 64;
  const std::size_t limit = std::min(text_.size(), at + kMost);
  while (at < limit && (is_blank(text_[at]) || (lines && is_space(text_[at])))) ++at;
  return at;
}

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
    if (text_[at] == '=' && equals(spelled, "name")) form_value(at + 1);
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
  const Holder holder = ends_with(written, "cookie") || ends_with(written, "cookies") ? Holder::kCookies
                        : ends_with(written, "authorization")                         ? Holder::kAuthorization
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
  if (equals(written, "pwd") && value.front() == '/') return;
  if (equals(written, "pass") && separator == ':' && value.size() <= 4 &&
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
    if (equals(value, "bearer") || equals(value, "basic") || equals(value, "token")) {
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

bool RedactScan::on_url(std::size_t colon) {
  // PHP writes slashes in JSON as `\/`.
  const bool plain = text_.compare(colon, 3, "://") == 0;
  if (!plain && text_.compare(colon, 5, ":\\/\\/") != 0) return false;
  constexpr std::string_view stops = " \t\r\n\"'<>\\`";
  const std::size_t begin = colon + (plain ? 3 : 5);
  const std::string_view text = text_.substr(0, std::min(text_.size(), begin + kLongestUserInfo));
  std::size_t end = begin;
  std::size_t at_sign = std::string_view::npos, first_colon = std::string_view::npos;
  for (; end < text.size() && stops.find(text[end]) == std::string_view::npos && text[end] != '/' && text[end] != '?' &&
         text[end] != '#';
       ++end) {
    if (text[end] == '@') at_sign = end;
    if (text[end] == ':' && first_colon == std::string_view::npos) first_colon = end;
  }
  if (end == text_.size() && needs_more(colon, begin, Open::kBare)) return true;
  // A password with a slash in it; a port has only digits.
  if (at_sign == std::string_view::npos && first_colon != std::string_view::npos && end > first_colon + 1 &&
      text[begin] != '[' &&
      !std::all_of(text.begin() + static_cast<std::ptrdiff_t>(first_colon + 1),
                   text.begin() + static_cast<std::ptrdiff_t>(end), is_digit)) {
    for (std::size_t i = end; i < text.size() && stops.find(text[i]) == std::string_view::npos; ++i)
      if (text[i] == '@') at_sign = i;
  }
  if (at_sign != std::string_view::npos) {
    if (first_colon != std::string_view::npos && first_colon < at_sign) {
      hide(begin, first_colon);
      hide(first_colon + 1, at_sign);
    } else if (looks_random(text.substr(begin, at_sign - begin))) {
      hide(begin, at_sign);
    }
    position_ = std::max(position_, at_sign);
    return true;
  }
  // Addresses that are themselves the secret.
  constexpr std::string_view hooks[] = {
      "hooks.slack.com/services/",      "hooks.slack.com/workflows/",    "discord.com/api/webhooks/",
      "discordapp.com/api/webhooks/",   "hooks.zapier.com/hooks/catch/", "outlook.office.com/webhook/",
      ".webhook.office.com/webhookb2/", "hook.integromat.com/",          "api.telegram.org/bot"};
  const std::string_view rest = text_.substr(begin, 80);
  for (const std::string_view hook : hooks) {
    const std::size_t found = rest.find(hook);
    if (found == std::string_view::npos || (found != 0 && hook.front() != '.')) continue;
    const std::size_t secret = begin + found + hook.size();
    const std::size_t secret_end = bare_end(text_, secret);
    if (secret_end == text_.size() && needs_more(colon, secret, Open::kBare)) return true;
    hide(secret, secret_end);
    return true;
  }
  position_ = std::max(position_, begin);
  return true;
}

// `curl -u user:password`, and Telegram's `digits:AA...`.
bool RedactScan::on_user_and_password(std::size_t colon) {
  // Most colons stand behind a quoted name.
  if (colon > 1 && text_[colon - 1] == '"' && text_[colon - 2] != ' ') return false;
  std::size_t begin = colon;
  while (begin > 0 && colon - begin < 64 && !is_space(text_[begin - 1]) && text_[begin - 1] != '"' &&
         text_[begin - 1] != '\'')
    --begin;
  std::size_t option = begin;
  if (option > 0 && (text_[option - 1] == '"' || text_[option - 1] == '\'')) --option;
  while (option > 0 && begin - option < 4 && (text_[option - 1] == ' ' || text_[option - 1] == '=')) --option;
  const std::string_view before = text_.substr(option > 8 ? option - 8 : 0, std::min<std::size_t>(option, 8));
  if (option < begin && (before.ends_with(" -u") || before.ends_with(" --user"))) {
    const std::size_t quote = colon + 1;
    const bool quoted =
        quote < text_.size() && (text_[quote] == '"' || text_[quote] == '\'') && text_[quote] != text_[begin - 1];
    const std::size_t secret = quoted ? quote + 1 : quote;
    // Inside quotes a password may hold what ends a bare one.
    const std::size_t opening = quoted ? quote : begin - 1;
    std::size_t slashes = 0;
    while (slashes < opening && text_[opening - 1 - slashes] == '\\') ++slashes;
    const bool in_quotes = text_[opening] == '"' || text_[opening] == '\'';
    std::size_t end = in_quotes ? quoted_end(text_, secret, text_[opening], slashes) : bare_end(text_, secret);
    if (in_quotes && text_[opening] == '\'' && end != std::string_view::npos) end = json_string_end(text_, secret, end);
    if (in_quotes && end == std::string_view::npos && final_) end = bare_end(text_, secret);
    end = std::min(end, text_.size());
    if (end == text_.size() && needs_more(begin, secret, Open::kBare)) return true;
    if (secret == end) hide(begin, colon);  // `-u token:`
    hide(secret, end);
    return true;
  }
  if (text_.compare(colon + 1, 2, "AA") != 0) return false;
  std::size_t digits = colon;
  while (digits > 0 && colon - digits < 11 && is_digit(text_[digits - 1])) --digits;
  std::size_t end = colon + 1;
  while (end < text_.size() && end - colon < 64 && is_token_char(text_[end])) ++end;
  if (end == text_.size() && needs_more(digits, digits, Open::kBare)) return true;
  if (colon - digits < 8 || end - colon < 33 || end - colon > 40) return false;
  hide(digits, end);
  return true;
}

void RedactScan::on_percent(std::size_t at) {
  // %3D and %3A stand for = and :, in a URL that is the value of a parameter; encoded twice, %253D.
  std::size_t digits = at + 1;
  while (digits < at + 9 && text_.compare(digits, 2, "25") == 0) digits += 2;
  const std::string_view code = text_.substr(std::min(digits, text_.size()), 2);
  if (code != "3D" && code != "3d" && code != "3A" && code != "3a") return;
  WrittenName name = name_before(text_, at);
  if (!name.found() || name.quote != 0) return;
  std::string spelled(text_.substr(name.begin, name.end - name.begin)), scratch;
  for (int rounds = 0; rounds < 3; ++rounds) spelled = std::string(spelled_out(spelled, scratch));
  // Only the last part of what has been decoded is the name.
  const std::size_t start = spelled.find_last_of("?&#/= \"{,:;");
  const Verdict verdict =
      rules_.names.judge(std::string_view(spelled).substr(start == std::string::npos ? 0 : start + 1));
  if (verdict == Verdict::kHarmless) return;
  std::size_t value = digits + 2;
  while (text_.compare(value, 3, "%22") == 0 || text_.compare(value, 3, "%20") == 0) value += 3;
  const std::size_t end = encoded_end(text_, value);
  if (end == text_.size() && needs_more(name.begin, value, Open::kBare)) return;
  if (verdict == Verdict::kSensitive || end - value >= kShortestInUrl) hide(value, end);
}

// ('authorization', 'Bearer x'), ["Cookie", "sid=x"]: headers as pairs. Lists of field names look alike, so only names
// of header fields count.
void RedactScan::on_tuple(std::size_t comma) {
  const WrittenName name = quoted_before(text_, comma - 1);
  if (!name.found()) return;
  const std::string_view written = text_.substr(name.begin, name.end - name.begin);
  constexpr std::string_view headers[] = {"authorization", "proxy-authorization", "cookie",
                                          "set-cookie",    "x-api-key",           "x-auth-token",
                                          "x-csrf-token",  "x-amz-security-token"};
  if (std::none_of(std::begin(headers), std::end(headers),
                   [&](std::string_view header) { return equals(written, header); }))
    return;
  std::size_t value = skip_blanks(comma + 1, true);
  value = skip_wrapper(text_, value);
  std::size_t quote = value;
  while (quote < text_.size() && text_[quote] == '\\' && quote - value < 16) ++quote;
  if (quote >= text_.size()) {
    needs_more(name.begin, text_.size(), Open::kBare);
    return;
  }
  if (text_[quote] == '"' || text_[quote] == '\'') value_of(name, comma + 1, Verdict::kSensitive);
}

// <password>x</password>
void RedactScan::on_tag(std::size_t at) {
  if (at == 0 || text_[at - 1] == '-' || text_[at - 1] == '=' || text_[at - 1] == '/') return;
  std::size_t open = at;
  while (open > 0 && at - open < kLookBack && text_[open - 1] != '<' && text_[open - 1] != '>' &&
         text_[open - 1] != '\n')
    --open;
  if (open == 0 || text_[open - 1] != '<' || !is_alpha(text_[open])) return;
  std::size_t end_of_name = open;
  while (end_of_name < at && !is_space(text_[end_of_name])) ++end_of_name;
  if (rules_.names.judge(text_.substr(open, end_of_name - open)) != Verdict::kSensitive) return;
  constexpr std::string_view cdata = "<![CDATA[";
  std::size_t begin = at + 1;
  if (begin + cdata.size() > text_.size() && needs_more(open, text_.size(), Open::kLine)) return;
  if (text_.compare(begin, cdata.size(), cdata) == 0) begin += cdata.size();
  std::size_t end = text_.find_first_of("<\n", begin);
  if (end == std::string_view::npos) {
    needs_more(open, begin, Open::kLine);
    return;
  }
  if (text_[end] == '\n') return;
  // `<user:password>` in a usage line is no tag.
  if (end + 1 < text_.size() && text_[end + 1] != '/' && text_[end + 1] != '\\') return;
  if (end + 1 == text_.size() && needs_more(open, begin, Open::kLine)) return;
  if (json_string_end(text_, begin, end) != end) return;
  if (begin > at + 1 && end >= 3 && text_.compare(end - 3, 3, "]]>") == 0) end -= 3;
  hide(begin, end);
}

// PASSWORD 'x', IDENTIFIED BY 'x', :api_key "x"
void RedactScan::on_quote_behind_word(std::size_t at) {
  // A quote behind which something ends has itself ended a text.
  if (structure_follows(text_, at + 1)) return;
  WrittenName name;
  name.end = at - 1;
  std::size_t i = name.end;
  while (i > 0 && name.end - i < 64 && is_token_char(text_[i - 1])) --i;
  name.begin = i;
  const std::string_view word = text_.substr(name.begin, name.end - name.begin);
  const bool identified =
      equals(word, "by") && name.begin >= 11 && equals(text_.substr(name.begin - 11, 10), "identified");
  if (!identified && rules_.names.judge(word) != Verdict::kSensitive) return;
  quoted_value(name, at, 0, Holder::kField, Verdict::kSensitive);
}

void RedactScan::on_dashes(std::size_t at) {
  if (at + 2 < text_.size() && text_[at + 1] == '-') return on_private_key(at);
  on_option(at);
}

// -----BEGIN PRIVATE KEY-----
void RedactScan::on_private_key(std::size_t at) {
  constexpr std::size_t kLongestHead = 80;
  if (text_.size() - at < kLongestHead && needs_more(at, text_.size(), Open::kBare)) return;
  const auto key = find_private_key(text_, at);
  if (!key) return;
  if (key->end == text_.size() && needs_more(at, key->begin, Open::kLine)) return;
  hide(key->begin, key->end);
}

// --password x
void RedactScan::on_option(std::size_t second_dash) {
  WrittenName name;
  name.begin = second_dash + 1;
  std::size_t end = name.begin;
  while (end < text_.size() && end - name.begin < 64 && (is_token_char(text_[end]) || text_[end] == '.')) ++end;
  name.end = end;
  if (end + 1 >= text_.size()) {
    if (end > name.begin) needs_more(second_dash, text_.size(), Open::kBare);
    return;
  }
  if (end == name.begin || text_[end] != ' ' || text_[end + 1] == '-') return;
  if (rules_.names.judge(text_.substr(name.begin, end - name.begin)) != Verdict::kSensitive) return;
  if (text_[end + 1] == '"' || text_[end + 1] == '\'')
    return quoted_value(name, end + 1, 0, Holder::kField, Verdict::kSensitive);
  const std::size_t value_end = bare_end(text_, end + 1);
  if (value_end == text_.size() && needs_more(second_dash, end + 1, Open::kBare)) return;
  hide(end + 1, value_end);
}

// `login x password y` (netrc), `requirepass y` (Redis): names that a blank separates from the value.
void RedactScan::on_word(std::size_t space) {
  const std::string_view before = text_.substr(space > 64 ? space - 64 : 0, std::min<std::size_t>(space, 64));
  const bool redis = before.ends_with("requirepass") || before.ends_with("masterauth");
  if (!redis) {
    if (!before.ends_with(" password")) return;
    const std::size_t login = before.rfind("login ");
    if (login == std::string_view::npos) return;
    const std::string_view user = before.substr(login + 6, before.size() - 9 - (login + 6));
    if (user.empty() || user.find(' ') != std::string_view::npos) return;
  }
  const std::size_t end = bare_end(text_, space + 1);
  if (end == text_.size() && needs_more(space, space + 1, Open::kBare)) return;
  hide(space + 1, end);
}

// user:password@tcp(host:3306)/name, the data source names of Go's MySQL driver.
void RedactScan::on_dialled(std::size_t parenthesis) {
  const std::string_view before =
      text_.substr(parenthesis > 128 ? parenthesis - 128 : 0, std::min<std::size_t>(parenthesis, 128));
  const std::size_t tail = before.ends_with("@tcp") ? 4 : before.ends_with("@unix") ? 5 : 0;
  if (tail == 0) return;
  const std::size_t end = parenthesis - tail;
  std::size_t begin = end;
  while (begin > copied_ && parenthesis - begin < 128 && !is_space(text_[begin - 1]) && text_[begin - 1] != '"' &&
         text_[begin - 1] != '\'' && text_[begin - 1] != '=')
    --begin;
  const std::size_t colon = text_.find(':', begin);
  if (colon < end) hide(colon + 1, end);
}

}  // namespace gatehouse
