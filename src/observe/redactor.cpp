#include "observe/redactor.hpp"

#include "observe/redact_patterns.hpp"
#include "observe/redact_scan.hpp"
#include "observe/redact_text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

namespace gatehouse {
namespace {

using Verdict = SensitiveNames::Verdict;

// Passes over one text.
constexpr int kMostLooks = 4;
// How often a URL may be encoded into a parameter of another one.
constexpr int kNesting = 3;

// The next `c`, or the end. A loop: the texts are shorter than a call of memchr is worth.
std::size_t position_of(char c, std::string_view text, std::size_t from) noexcept {
  while (from < text.size() && text[from] != c) ++from;
  return from;
}

}  // namespace

std::shared_ptr<const Redactor> Redactor::make(const RedactOptions& options, std::string& problem) {
  auto patterns = std::make_unique<RedactPatterns>();
  for (const std::string& pattern : options.patterns)
    if (std::string why = patterns->add(pattern); !why.empty()) {
      problem = "pattern '" + pattern + "': " + why;
      return nullptr;
    }
  return std::shared_ptr<const Redactor>(new Redactor(options, std::move(patterns)));
}

std::shared_ptr<const Redactor> Redactor::standard() {
  std::string problem;
  return make({}, problem);
}

Redactor::Redactor(const RedactOptions& options, std::unique_ptr<const RedactPatterns> patterns)
    : names_(options.names),
      hider_(options.action, options.hash_key),
      rules_{names_, hider_, options.emails},
      patterns_(std::move(patterns)),
      address_action_(options.client_address),
      address_hider_(RedactAction::kHash, options.hash_key) {}

Redactor::~Redactor() = default;

bool Redactor::sensitive(std::string_view name) const noexcept { return names_.judge(name) == Verdict::kSensitive; }

std::string_view Redactor::text(std::string_view in, std::string& scratch) const {
  std::string hidden, again;
  std::string_view told = in;
  // What takes a secret's place may change how its surroundings read (a name with a secret in it): look until nothing
  // changes. Nearly always the second look is the last, and only lines with a secret get one.
  for (int looks = 0; looks < kMostLooks; ++looks) {
    again.clear();
    RedactScan scan(rules_, told, 0, RedactScan::End::kFinal, again);
    scan.run();
    if (!scan.changed()) break;
    hidden.swap(again);
    told = hidden;
  }
  const std::string_view result = by_pattern(told, scratch);
  if (result.data() == in.data()) return in;
  if (result.data() == hidden.data()) scratch = std::move(hidden);
  return scratch;
}

// Whether a path, or a query whose names have been judged, is so plain that nothing in it can be a secret by its shape:
// the usual case, and cheaper to see than to scan.
bool Redactor::has_short_words(std::string_view in) const noexcept {
  constexpr std::size_t kShortestToken = 12;
  if (rules_.emails || !patterns_->empty()) return false;
  std::size_t run = 0;
  for (const char c : in) {
    if (is_token_char(c)) {
      if (++run == kShortestToken) return false;
      continue;
    }
    if (c != '/' && c != '.' && c != '&' && c != '=') return false;
    run = 0;
  }
  return true;
}

std::string_view Redactor::by_pattern(std::string_view in, std::string& scratch) const {
  if (patterns_->empty()) return in;
  std::vector<RedactPatterns::Match> matches;
  patterns_->find(in, matches);
  if (matches.empty()) return in;
  std::string out;
  std::size_t done = 0;
  for (const auto& match : matches) {
    out += in.substr(done, match.begin - done);
    hider_.append(in.substr(match.begin, match.end - match.begin), out);
    done = match.end;
  }
  out += in.substr(done);
  if (out == in) return in;
  scratch = std::move(out);
  return scratch;
}

bool Redactor::hides_parameter(std::string_view name, std::string_view value) const {
  std::string decoded;
  switch (names_.judge(spelled_out(name, decoded))) {
    case Verdict::kSensitive:
      return !value.empty();
    case Verdict::kInUrl:
    case Verdict::kSuspect:
      return value.size() >= kShortestInUrl;
    case Verdict::kHarmless:
      break;
  }
  return false;
}

// Whether a value is itself a URL or a form, encoded, with a secret in it.
bool Redactor::holds_parameters(std::string_view value) const {
  if (position_of('%', value, 0) == value.size()) return false;
  std::string decoded(value), again, scratch;
  for (int i = 0; i < kNesting && decoded.find('%') != std::string::npos; ++i) {
    again = spelled_out(decoded, scratch);
    if (again == decoded) break;
    decoded.swap(again);
    const std::string_view inner = decoded;
    const std::size_t mark = inner.find_first_of("?#");
    for (std::size_t begin = mark == std::string_view::npos ? 0 : mark + 1; begin < inner.size();) {
      const std::size_t end = std::min(inner.find_first_of("&#?", begin), inner.size());
      const std::string_view pair = inner.substr(begin, end - begin);
      const std::size_t equals = pair.find('=');
      if (equals != std::string_view::npos && !SecretHider::hidden_already(pair.substr(equals + 1)) &&
          hides_parameter(pair.substr(0, equals), pair.substr(equals + 1)))
        return true;
      begin = end + 1;
    }
  }
  return false;
}

std::string_view Redactor::query(std::string_view in, std::string& scratch) const {
  std::string out;
  bool changed = false;
  std::size_t copied = 0;
  for (std::size_t begin = 0; begin < in.size();) {
    std::size_t end = begin, equals = in.size();
    for (; end < in.size() && in[end] != '&' && in[end] != ';'; ++end)
      if (in[end] == '=' && equals == in.size()) equals = end;
    const std::string_view name = in.substr(begin, std::min(equals, end) - begin);
    const std::string_view value =
        in.substr(std::min(begin + name.size() + 1, end), end - std::min(begin + name.size() + 1, end));
    if (!SecretHider::hidden_already(value) && (hides_parameter(name, value) || holds_parameters(value))) {
      changed = true;
      // A dropped pair goes with its name, and with the separator in front of it or, for the first one, behind it.
      const bool first = begin == copied;
      const std::size_t keep = !hider_.drops() ? end - value.size() : first ? begin : begin - 1;
      out += in.substr(copied, keep - copied);
      if (!hider_.drops()) hider_.append(value, out);
      copied = hider_.drops() && first ? std::min(end + 1, in.size()) : end;
    }
    begin = end + 1;
  }
  if (!changed) return has_short_words(in) ? in : text(in, scratch);
  out += in.substr(copied);
  const std::string_view result = text(out, scratch);
  if (result.data() == out.data()) scratch = std::move(out);
  return scratch;
}

std::string_view Redactor::url(std::string_view in, std::string& scratch) const {
  const std::size_t mark = in.find_first_of("?#");
  if (mark == std::string_view::npos) return text(in, scratch);
  std::string before, behind;
  std::string whole(text(in.substr(0, mark), before));
  const std::string_view rest = in.substr(mark + 1);
  const std::size_t fragment = std::min(rest.find('#'), rest.size());
  whole += in[mark];
  whole += query(rest.substr(0, fragment), behind);
  if (fragment < rest.size()) {
    whole += '#';
    whole += query(rest.substr(fragment + 1), behind);
  }
  if (whole == in) return in;
  scratch = std::move(whole);
  return scratch;
}

bool Redactor::hides_segment(std::string_view part) const noexcept {
  // `{token}`, `:token` and `<token>` stand for one segment.
  if (part.empty() || (part.front() != '{' && part.front() != ':' && part.front() != '<')) return false;
  const Verdict verdict = names_.judge(part);
  return verdict == Verdict::kSensitive || verdict == Verdict::kInUrl;
}

std::string_view Redactor::path(std::string_view in, std::string_view route, std::string& scratch) const {
  std::string whole;
  std::size_t from = 0, copied = 0;
  for (std::size_t template_from = 0; template_from < route.size() && from < in.size();) {
    const std::size_t template_end = position_of('/', route, template_from);
    const std::string_view part = route.substr(template_from, template_end - template_from);
    if (part.size() == 1 && part.front() == '*') break;  // behind a star the segments no longer correspond
    const std::size_t end = position_of('/', in, from);
    if (end > from && hides_segment(part)) {
      whole += in.substr(copied, from - copied);
      hider_.append(in.substr(from, end - from), whole);
      copied = end;
    }
    from = end + 1;
    template_from = template_end + 1;
  }
  if (copied == 0) return has_short_words(in) && position_of('=', in, 0) == in.size() ? in : text(in, scratch);
  whole += in.substr(copied);
  std::string hidden;
  scratch = text(whole, hidden);
  return scratch;
}

std::string_view Redactor::header(std::string_view name, std::string_view value, std::string& scratch) const {
  if (value.empty()) return value;
  if (ends_with_ignoring_case(name, "cookie")) {
    std::string out;
    const bool set = ends_with_ignoring_case(name, "set-cookie");
    if (!set || !hider_.drops()) RedactScan::append_cookies(hider_, value, out, hider_.drops());
    scratch = std::move(out);
    return scratch;
  }
  constexpr std::string_view urls[] = {"referer", "location", "content-location", "refresh", "link", "origin"};
  if (std::any_of(std::begin(urls), std::end(urls),
                  [&](std::string_view url) { return equals_ignoring_case(name, url); }))
    return url(value, scratch);
  return this->value(name, value, scratch);
}

std::string_view Redactor::value(std::string_view name, std::string_view in, std::string& scratch) const {
  const Verdict verdict = in.empty() ? Verdict::kHarmless : names_.judge(name);
  if (verdict != Verdict::kSensitive && !(verdict == Verdict::kSuspect && looks_random(in))) return text(in, scratch);
  TextSpan secret{0, in.size()};
  if (ends_with_ignoring_case(name, "authorization")) secret = RedactScan::credentials(in, secret);
  std::string out;
  if (!hider_.drops()) {
    out = in.substr(0, secret.begin);
    hider_.append(in.substr(secret.begin), out);
  }
  scratch = std::move(out);
  return scratch;
}

std::string_view Redactor::address(std::string_view in, std::string& scratch) const {
  if (in.empty() || address_action_ == AddressAction::kKeep) return in;
  scratch.clear();
  if (address_action_ == AddressAction::kDrop) return scratch;
  if (address_action_ == AddressAction::kHash) {
    address_hider_.append(in, scratch);
    return scratch;
  }
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  const std::string zero_ended(in.substr(0, 64));
  if (::inet_pton(AF_INET, zero_ended.c_str(), bytes.data()) == 1) {
    bytes[3] = 0;
    ::inet_ntop(AF_INET, bytes.data(), out.data(), out.size());
  } else if (::inet_pton(AF_INET6, zero_ended.c_str(), bytes.data()) == 1) {
    std::fill(bytes.begin() + 7, bytes.end(), static_cast<unsigned char>(0));
    ::inet_ntop(AF_INET6, bytes.data(), out.data(), out.size());
  }
  scratch = out.data();
  return scratch;
}

}  // namespace gatehouse
