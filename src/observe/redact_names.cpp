#include "observe/redact_names.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>

namespace gatehouse {
namespace {

// Longer names are judged by their end.
constexpr std::size_t kLongest = 96;

// Secret wherever they stand in a name, unless the last word behind them is a fact about the secret.
constexpr std::string_view kStrong[] = {"password",
                                        "passwd",
                                        "passphrase",
                                        "passcode",
                                        "secret",
                                        "credential",
                                        "privatekey",
                                        "privkey",
                                        "apikey",
                                        "apisecret",
                                        "accesskey",
                                        "signingkey",
                                        "signkey",
                                        "encryptionkey",
                                        "decryptionkey",
                                        "masterkey",
                                        "authkey",
                                        "accountkey",
                                        "sharedkey",
                                        "sessionkey",
                                        "hmackey",
                                        "aeskey",
                                        "sshkey",
                                        "rsakey",
                                        "servicekey",
                                        "deploykey",
                                        "webhookkey",
                                        "consumerkey",
                                        "subscriptionkey",
                                        "functionskey",
                                        "applicationkey",
                                        "appkey",
                                        "licensekey",
                                        "writekey",
                                        "adminkey",
                                        "serverkey",
                                        "storagekey",
                                        "authorization",
                                        "requirepass",
                                        "masterauth",
                                        "userpass",
                                        "dbpass",
                                        "sshpass",
                                        "keypass",
                                        "storepass",
                                        "rootpass",
                                        "adminpass",
                                        "passwort",
                                        "kennwort",
                                        "motdepasse",
                                        "contrasena",
                                        "contraseña",
                                        "wachtwoord",
                                        "пароль",
                                        "senha",
                                        "creditcard",
                                        "cardnumber",
                                        "ccnumber",
                                        "securitycode",
                                        "socialsecurity",
                                        "passportnumber",
                                        "bankaccountnumber",
                                        "sessionid",
                                        "sessid",
                                        "sessiontoken",
                                        "mnemonic",
                                        "seedphrase",
                                        "recoveryphrase",
                                        "recoverycode",
                                        "backupcode",
                                        "verificationcode",
                                        "mfacode",
                                        "otpcode",
                                        "authcode",
                                        "smscode",
                                        "accesscode",
                                        "pincode",
                                        "devicecode",
                                        "codeverifier",
                                        "clientassertion",
                                        "samlresponse",
                                        "samlrequest",
                                        "xamzsignature",
                                        "xgoogsignature",
                                        "awsaccesskeyid",
                                        "secretid",
                                        "connectsid",
                                        "authenticitytoken",
                                        "csrfmiddlewaretoken",
                                        "otpauth",
                                        "totpsecret"};

// Secret at the end of a name, or followed by words that say nothing (`token_value`).
constexpr std::string_view kWeak[] = {
    "token",        "accesstokens", "refreshtokens", "authtokens", "apitokens",
    "devicetokens", "bearertokens", "csrf",          "xsrf",       "requestverificationtoken"};

// The same for texts so short that they must be words of their own (`smtp_pass`, not `compass`).
constexpr std::string_view kWords[] = {"pass",    "pwd",    "pin",  "otp",   "totp",       "cvv",   "cvc",  "cvv2",
                                       "cvc2",    "ssn",    "sid",  "jwt",   "psk",        "creds", "cred", "cookie",
                                       "cookies", "bearer", "iban", "heslo", "jsessionid", "pw"};

// Secret when they are the whole name.
constexpr std::string_view kExact[] = {"assertion", "setcookie", "proxyauthorization", "pan", "ccnum",
                                       "xcsrf",     "passkey"};

// Too common outside of URLs and forms.
constexpr std::string_view kUrlExact[] = {"code",    "state",    "key",    "sig",   "signature",
                                          "session", "auth",     "ticket", "hash",  "nonce",
                                          "s3key",   "authuser", "invite", "magic", "otc"};

// Names of many harmless things, and of secrets.
constexpr std::string_view kSuspect[] = {"key", "auth", "access", "api"};
constexpr std::string_view kInnocentKeys[] = {
    "publickey",      "pubkey",     "primarykey", "foreignkey", "cachekey",     "sortkey",   "partitionkey",
    "idempotencykey", "routingkey", "objectkey",  "hashkey",    "rangekey",     "lookupkey", "translationkey",
    "keyword",        "hotkey",     "monkey",     "turnkey",    "surrogatekey", "hostkey",   "indexkey",
    "messagekey",     "projectkey", "issuekey",   "groupkey",   "lockkey",      "dedupekey", "etagkey",
    "s3key",          "rowkey",     "blobkey",    "filekey",    "itemkey",      "datakey",   "jsonkey",
    "sortbykey",      "rediskey",   "uniquekey"};

// Words behind a strong term that make the whole a fact about the secret.
constexpr std::string_view kFacts[] = {
    "url",       "uri",        "link",       "href",        "path",     "file",     "filename",     "dir",
    "directory", "name",       "names",      "type",        "types",    "kind",     "count",        "counts",
    "length",    "len",        "size",       "min",         "max",      "limit",    "expires",      "expiry",
    "expired",   "expiration", "expiring",   "exp",         "in",       "at",       "on",           "ttl",
    "age",       "date",       "time",       "timestamp",   "policy",   "policies", "reset",        "resets",
    "changed",   "change",     "changes",    "updated",     "created",  "rotated",  "rotation",     "required",
    "valid",     "invalid",    "validation", "validator",   "strength", "score",    "enabled",      "disabled",
    "field",     "fields",     "label",      "placeholder", "error",    "errors",   "message",      "endpoint",
    "version",   "versions",   "algorithm",  "alg",         "encoder",  "encoding", "hasher",       "provider",
    "providers", "status",     "manager",    "store",       "storage",  "arn",      "ref",          "reference",
    "namespace", "backend",    "engine",     "scanner",     "scanning", "index",    "usage",        "used",
    "attempts",  "attempt",    "tries",      "failures",    "failed",   "history",  "form",         "page",
    "view",      "controller", "prompt",     "rules",       "rule",     "set",      "exists",       "present",
    "missing",   "source",     "format",     "id",          "ids",      "last4",    "brand",        "method",
    "methods",   "mode",       "scheme",     "schema",      "server",   "servers",  "grant",        "hint",
    "rotate",    "handler",    "service",    "mount",       "mounts",   "hits",     "loaded",       "found",
    "checks",    "check",      "less",       "ok",          "match",    "matches",  "scope",        "scopes",
    "duration",  "ms",         "seconds",    "bytes",       "request",  "requests", "requirements", "level",
    "email",     "mail",       "country",    "network",     "timeout",  "renewed",  "pattern",      "variable",
    "regex"};

// Words behind a weak term that do not change what it is.
constexpr std::string_view kNeutral[] = {
    "value",     "raw",    "plain", "text",    "plaintext", "string",  "str",          "hash",       "digest",
    "encrypted", "base64", "b64",   "hex",     "data",      "confirm", "confirmation", "again",      "repeat",
    "retype",    "new",    "old",   "current", "secret",    "header",  "cookie",       "param",      "parameter",
    "hint",      "verify", "token", "key",     "val",       "env",     "prod",         "production", "staging",
    "dev",       "test",   "live",  "number",  "num",       "code"};

bool contains(std::span<const std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(unsigned char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(unsigned char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_skipped(unsigned char c) { return c < 0x80 && !is_digit(c) && !is_lower(c) && !is_upper(c); }
constexpr char lower(char c) { return is_upper(static_cast<unsigned char>(c)) ? static_cast<char>(c | 0x20) : c; }

std::string letters(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (!is_skipped(static_cast<unsigned char>(c))) out += lower(c);
  return out;
}

// What was judged lately. The automaton needs a step for each letter, from memory that no near cache holds; this is one look.
constexpr std::size_t kKept = 64;
constexpr std::size_t kShortestKept = 4;
constexpr std::size_t kLongestKept = 24;
struct Kept {
  std::uint64_t list = 0;
  std::array<char, kLongestKept> text{};
  std::uint8_t size = 0;
  SensitiveNames::Verdict verdict{};
};

// By its first and last four bytes and its length.
std::size_t place_of(std::string_view name) noexcept {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::memcpy(&first, name.data(), sizeof first);
  std::memcpy(&last, name.data() + name.size() - sizeof last, sizeof last);
  const std::uint64_t mixed = ((std::uint64_t{first} << 32) ^ (std::uint64_t{last} << 5) ^ name.size()) * 0x9e3779b97f4a7c15U;
  return static_cast<std::size_t>(mixed >> 58);
}

std::uint64_t new_id() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

// A name reduced to its letters and digits, with the places where words begin.
struct SensitiveNames::Name {
  std::array<char, kLongest> text;
  std::array<bool, kLongest + 1> starts_word;
  std::size_t size = 0;

  explicit Name(std::string_view from) noexcept {
    bool start = true;
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto c = static_cast<unsigned char>(from[i]);
      if (is_skipped(c)) {
        start = true;
        continue;
      }
      if (i > 0 && is_upper(c)) {
        const auto before = static_cast<unsigned char>(from[i - 1]);
        const bool lower_follows = i + 1 < from.size() && is_lower(static_cast<unsigned char>(from[i + 1]));
        start = start || !is_upper(before) || lower_follows;
      }
      starts_word[size] = start;
      text[size++] = lower(from[i]);
      start = false;
    }
    starts_word[size] = true;
  }
  std::string_view from(std::size_t at) const noexcept { return {text.data() + at, size - at}; }
};

SensitiveNames::SensitiveNames(std::span<const std::string> extra) : id_(new_id()) {
  for (const auto text : kStrong) add(text, Kind::kStrong);
  for (const auto text : kWeak) add(text, Kind::kWeak);
  for (const auto text : kWords) add(text, Kind::kWord);
  for (const auto text : kExact) add(text, Kind::kExact);
  for (const auto text : kUrlExact) add(text, Kind::kUrlExact);
  for (const auto text : kSuspect) add(text, Kind::kSuspect);
  for (const auto text : kInnocentKeys) add(text, Kind::kInnocent);
  for (const auto& text : extra) add(text, Kind::kWord);
  build();
}

void SensitiveNames::add(std::string_view text, Kind kind) {
  std::string plain = letters(text);
  if (plain.empty() || plain.size() > kLongest) return;
  terms_.push_back({std::move(plain), kind});
}

// Aho and Corasick's automaton over all terms: one step a character, however many terms there are.
void SensitiveNames::build() {
  for (std::size_t c = 0; c < 256; ++c) class_[c] = is_skipped(static_cast<unsigned char>(c)) ? 0 : 1;
  for (const Term& term : terms_)
    for (const char c : term.text) {
      auto& id = class_[static_cast<unsigned char>(c)];
      if (id == 1) id = static_cast<std::uint8_t>(classes_++);
    }
  for (std::size_t c = 'A'; c <= 'Z'; ++c) class_[c] = class_[c | 0x20];

  next_.assign(classes_, 0);
  first_output_.assign(1, -1);
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    std::size_t state = 0;
    for (const char c : terms_[i].text) {
      const std::size_t slot = state * classes_ + class_[static_cast<unsigned char>(c)];
      if (next_[slot] == 0) {
        next_[slot] = static_cast<std::uint16_t>(first_output_.size());
        first_output_.push_back(-1);
        next_.resize(next_.size() + classes_, 0);
      }
      state = next_[slot];
    }
    outputs_.push_back({static_cast<std::uint16_t>(i), first_output_[state]});
    first_output_[state] = static_cast<std::int16_t>(outputs_.size() - 1);
  }

  std::vector<std::uint16_t> fail(first_output_.size(), 0);
  std::deque<std::uint16_t> open;
  for (std::size_t c = 1; c < classes_; ++c)
    if (next_[c] != 0) open.push_back(next_[c]);
  while (!open.empty()) {
    const std::uint16_t state = open.front();
    open.pop_front();
    // What ends in the state it falls back to ends here too: its outputs go to the end of this state's list.
    std::int16_t* last = &first_output_[state];
    while (*last != -1) last = &outputs_[static_cast<std::size_t>(*last)].next;
    *last = first_output_[fail[state]];
    for (std::size_t c = 1; c < classes_; ++c) {
      std::uint16_t& to = next_[state * classes_ + c];
      const std::uint16_t fallback = next_[fail[state] * classes_ + c];
      if (to == 0) {
        to = fallback;
      } else {
        fail[to] = fallback;
        open.push_back(to);
      }
    }
  }
}

SensitiveNames::Verdict SensitiveNames::judge(std::string_view name) const noexcept {
  if (name.size() < kShortestKept || name.size() > kLongestKept) return judge_anew(name);
  thread_local std::array<Kept, kKept> memory;
  Kept& kept = memory[place_of(name)];
  if (kept.list == id_ && kept.size == name.size() && std::memcmp(kept.text.data(), name.data(), name.size()) == 0) return kept.verdict;
  const Verdict verdict = judge_anew(name);
  kept.list = id_;
  kept.size = static_cast<std::uint8_t>(name.size());
  kept.verdict = verdict;
  std::memcpy(kept.text.data(), name.data(), name.size());
  return verdict;
}

SensitiveNames::Verdict SensitiveNames::judge_anew(std::string_view name) const noexcept {
  if (name.size() > kLongest) name.remove_prefix(name.size() - kLongest);
  std::size_t state = 0;
  bool any = false;
  for (const char c : name) {
    const std::size_t id = class_[static_cast<unsigned char>(c)];
    if (id == 0) continue;
    state = next_[state * classes_ + id];
    any = any || first_output_[state] >= 0;
  }
  if (!any) return Verdict::kHarmless;

  const Name plain(name);
  state = 0;
  Verdict worst = Verdict::kHarmless;
  bool innocent = false;
  for (std::size_t i = 0; i < plain.size; ++i) {
    state = next_[state * classes_ + class_[static_cast<unsigned char>(plain.text[i])]];
    for (std::int16_t o = first_output_[state]; o >= 0; o = outputs_[static_cast<std::size_t>(o)].next) {
      const Term& term = terms_[outputs_[static_cast<std::size_t>(o)].term];
      if (term.kind == Kind::kInnocent) {
        innocent = innocent || i + 1 == plain.size;
        continue;
      }
      const Verdict verdict = judge_term(term, plain, i + 1);
      if (verdict == Verdict::kSensitive) return verdict;
      if (verdict != Verdict::kHarmless && worst != Verdict::kInUrl) worst = verdict;
    }
  }
  return worst == Verdict::kSuspect && innocent ? Verdict::kHarmless : worst;
}

// What the term that ends at `end` says about the name.
SensitiveNames::Verdict SensitiveNames::judge_term(const Term& term, const Name& name, std::size_t end) const noexcept {
  const std::size_t begin = end - term.text.size();
  std::size_t size = name.size;
  while (size > end && is_digit(static_cast<unsigned char>(name.text[size - 1]))) --size;
  const std::string_view tail(name.text.data() + end, size - end);
  const bool whole = begin == 0 && tail.empty();

  switch (term.kind) {
    case Kind::kExact:
      return whole ? Verdict::kSensitive : Verdict::kHarmless;
    case Kind::kUrlExact:
      return whole ? Verdict::kInUrl : Verdict::kHarmless;
    case Kind::kSuspect:
      return tail.empty() ? Verdict::kSuspect : Verdict::kHarmless;
    case Kind::kInnocent:
      return Verdict::kHarmless;
    case Kind::kWord:
      if (!name.starts_word[begin]) return Verdict::kHarmless;
      break;
    case Kind::kStrong:
    case Kind::kWeak:
      break;
  }
  if (tail.empty()) return Verdict::kSensitive;
  std::size_t last_word = size - 1;
  while (last_word > end && !name.starts_word[last_word]) --last_word;
  const std::string_view last(name.text.data() + last_word, size - last_word);
  // `passwordconfirm` is one word to the eye that splits at capitals; a plural is still the thing itself.
  if (!name.starts_word[end])
    return (term.kind == Kind::kStrong && tail == "s") || (tail.size() > 1 && contains(kNeutral, tail))
               ? Verdict::kSensitive
               : Verdict::kHarmless;
  if (term.kind == Kind::kStrong) return contains(kFacts, last) ? Verdict::kHarmless : Verdict::kSensitive;
  return contains(kNeutral, last) ? Verdict::kSensitive : Verdict::kHarmless;
}

}  // namespace gatehouse
