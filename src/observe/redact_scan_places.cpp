// Secrets that stand where a form of writing puts them, without a name and a separator: in URLs, tags, options, pairs.
#include "observe/redact_scan.hpp"
#include "observe/redact_text.hpp"

namespace gatehouse {
namespace {

constexpr std::size_t kLongestUserInfo = 512;

}  // namespace

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
                   [&](std::string_view header) { return equals_ignoring_case(written, header); }))
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
      equals_ignoring_case(word, "by") && name.begin >= 11 && equals_ignoring_case(text_.substr(name.begin - 11, 10), "identified");
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
