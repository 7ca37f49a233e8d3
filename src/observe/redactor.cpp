#include "observe/redactor.hpp"

#include "observe/redact_patterns.hpp"

#include <gatehouse/message.hpp>

#include <arpa/inet.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace gatehouse {
namespace {

constexpr std::string_view kMark = "REDACTED";
constexpr std::string_view kHashMark = "hmac-";
constexpr std::size_t kHashDigits = 16;
// Shorter values of parameters that are only secret in URLs say too little to be one (`?state=CA`).
constexpr std::size_t kShortestUrlSecret = 4;

constexpr bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr int hex_value(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

// What a peer will read instead of what is written; views `in` where nothing is encoded.
std::string_view percent_decoded(std::string_view in, std::string& scratch) {
  if (in.find('%') == std::string_view::npos) return in;
  scratch.clear();
  for (std::size_t i = 0; i < in.size(); ++i)
    if (in[i] == '%' && i + 2 < in.size() && is_hex(in[i + 1]) && is_hex(in[i + 2])) {
      scratch += static_cast<char>(hex_value(in[i + 1]) << 4 | hex_value(in[i + 2]));
      i += 2;
    } else {
      scratch += in[i];
    }
  return scratch;
}

// A value that an earlier pass left behind.
bool already_hidden(std::string_view value) {
  if (value == kMark) return true;
  return value.size() == kHashMark.size() + kHashDigits && value.starts_with(kHashMark) &&
         std::all_of(value.begin() + kHashMark.size(), value.end(), is_hex);
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
      patterns_(std::move(patterns)),
      action_(options.action),
      address_action_(options.client_address),
      emails_(options.emails),
      hash_key_(options.hash_key) {
  if (!hash_key_.empty()) return;
  hash_key_.resize(32);
  RAND_bytes(reinterpret_cast<unsigned char*>(hash_key_.data()), static_cast<int>(hash_key_.size()));
}

Redactor::~Redactor() = default;

bool Redactor::sensitive(std::string_view name) const noexcept {
  return names_.judge(name) == SensitiveNames::Verdict::kSensitive;
}

void Redactor::hide(std::string_view secret, std::string& out) const {
  if (already_hidden(secret)) {
    out += secret;
    return;
  }
  switch (action_) {
    case RedactAction::kReplace:
      out += kMark;
      return;
    case RedactAction::kDrop:
      return;
    case RedactAction::kMask:
      out += "****";
      if (secret.size() >= 12) out += secret.substr(secret.size() - 4);
      return;
    case RedactAction::kHash:
      break;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), hash_key_.data(), static_cast<int>(hash_key_.size()),
       reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), digest.data(), &size);
  out += kHashMark;
  for (std::size_t i = 0; i < kHashDigits / 2; ++i) {
    out += "0123456789abcdef"[digest[i] >> 4];
    out += "0123456789abcdef"[digest[i] & 0xF];
  }
}

std::string_view Redactor::text(std::string_view in, std::string& scratch) const {
  if (patterns_->empty()) return in;
  std::vector<RedactPatterns::Match> matches;
  patterns_->find(in, matches);
  if (matches.empty()) return in;
  scratch.clear();
  std::size_t done = 0;
  for (const auto& match : matches) {
    scratch += in.substr(done, match.begin - done);
    hide(in.substr(match.begin, match.end - match.begin), scratch);
    done = match.end;
  }
  scratch += in.substr(done);
  return scratch;
}

std::string_view Redactor::query(std::string_view in, std::string& scratch) const {
  bool changed = false;
  std::string out;
  append_query(in, out, changed);
  if (!changed) return in;
  scratch = std::move(out);
  return scratch;
}

bool Redactor::hides_parameter(std::string_view name, std::string_view value) const {
  std::string decoded;
  switch (names_.judge(percent_decoded(name, decoded))) {
    case SensitiveNames::Verdict::kSensitive:
      return !value.empty();
    case SensitiveNames::Verdict::kInUrl:
    case SensitiveNames::Verdict::kSuspect:
      return value.size() >= kShortestUrlSecret;
    case SensitiveNames::Verdict::kHarmless:
      break;
  }
  return false;
}

void Redactor::append_query(std::string_view in, std::string& out, bool& changed) const {
  std::size_t copied = 0;
  for (std::size_t begin = 0; begin < in.size();) {
    const std::size_t end = std::min(in.find('&', begin), in.size());
    const std::string_view pair = in.substr(begin, end - begin);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && hides_parameter(pair.substr(0, equals), pair.substr(equals + 1))) {
      const std::string_view value = pair.substr(equals + 1);
      if (!already_hidden(value)) {
        out += in.substr(copied, begin + equals + 1 - copied);
        hide(value, out);
        copied = end;
        changed = true;
      }
    }
    begin = end + 1;
  }
  if (changed) out += in.substr(copied);
}

std::string_view Redactor::url(std::string_view in, std::string& scratch) const {
  const std::size_t mark = in.find('?');
  if (mark == std::string_view::npos) return text(in, scratch);
  std::string hidden;
  const std::string_view query_part = query(in.substr(mark + 1), hidden);
  if (query_part.data() == in.data() + mark + 1) return text(in, scratch);
  const std::string whole = std::string(in.substr(0, mark + 1)).append(query_part);
  const std::string_view result = text(whole, scratch);
  if (result.data() == whole.data()) scratch = whole;
  return scratch;
}

std::string_view Redactor::path(std::string_view in, std::string_view, std::string& scratch) const {
  return text(in, scratch);
}

std::string_view Redactor::header(std::string_view name, std::string_view value, std::string& scratch) const {
  if (value.empty()) return value;
  if (equals_ignoring_case(name, "cookie")) {
    scratch.clear();
    append_cookies(value, scratch);
    return scratch;
  }
  if (equals_ignoring_case(name, "set-cookie")) {
    scratch.clear();
    append_set_cookie(value, scratch);
    return scratch;
  }
  if (!sensitive(name)) return text(value, scratch);
  scratch.clear();
  const std::size_t space = value.find(' ');
  std::string_view secret = value;
  if (equals_ignoring_case(name.substr(name.size() - std::min<std::size_t>(name.size(), 13)), "authorization") &&
      space != std::string_view::npos) {
    scratch += value.substr(0, space + 1);
    secret = value.substr(space + 1);
  }
  hide(secret, scratch);
  return scratch;
}

std::string_view Redactor::value(std::string_view name, std::string_view in, std::string& scratch) const {
  if (in.empty() || !sensitive(name)) return text(in, scratch);
  scratch.clear();
  hide(in, scratch);
  return scratch;
}

void Redactor::append_cookies(std::string_view in, std::string& out) const {
  while (!in.empty()) {
    const std::size_t end = std::min(in.find(';'), in.size());
    const std::string_view pair = in.substr(0, end);
    const std::size_t equals = pair.find('=');
    const std::size_t name = equals == std::string_view::npos ? 0 : equals + 1;
    out += pair.substr(0, name);
    if (name < pair.size()) hide(pair.substr(name), out);
    if (end < in.size()) out += ';';
    in.remove_prefix(std::min(end + 1, in.size()));
    while (!in.empty() && in.front() == ' ') {
      out += ' ';
      in.remove_prefix(1);
    }
  }
}

void Redactor::append_set_cookie(std::string_view in, std::string& out) const {
  const std::size_t end = std::min(in.find(';'), in.size());
  append_cookies(in.substr(0, end), out);
  out += in.substr(end);
}

std::string_view Redactor::address(std::string_view in, std::string& scratch) const {
  if (in.empty() || address_action_ == AddressAction::kKeep) return in;
  scratch.clear();
  if (address_action_ == AddressAction::kDrop) return scratch;
  std::array<unsigned char, 16> bytes{};
  const std::string zero_ended(in.substr(0, 64));
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (address_action_ == AddressAction::kTruncate) {
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
  hide(in, scratch);
  return scratch;
}

}  // namespace gatehouse
