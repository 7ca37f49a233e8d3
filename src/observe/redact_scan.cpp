#include "observe/redact_scan.hpp"

#include "observe/redact_blocks.hpp"
#include "observe/redact_provider_keys.hpp"
#include "observe/redact_text.hpp"

#include <algorithm>
#include <bit>

namespace gatehouse {
namespace {

constexpr std::size_t kLongestToken = 4096;

// A path, a domain, a date, a number: nothing that could hold a pair of its own.
bool is_attribute_value(std::string_view text) noexcept {
  constexpr std::string_view others = "/.:, -_+";
  return std::all_of(text.begin() + (text.empty() ? 0 : 1), text.end(),
                     [&](char c) { return is_alnum(c) || others.find(c) != std::string_view::npos; });
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
        std::any_of(std::begin(attributes), std::end(attributes), [&](std::string_view a) { return equals_ignoring_case(name, a); });
    const bool flag = begin > 0 && (equals_ignoring_case(pair, "httponly") || equals_ignoring_case(pair, "secure") || equals_ignoring_case(pair, "partitioned"));
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
                   [&](std::string_view scheme) { return equals_ignoring_case(first, scheme); }))
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

}  // namespace gatehouse
