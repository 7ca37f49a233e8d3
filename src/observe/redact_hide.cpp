#include "observe/redact_hide.hpp"

#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <utility>

namespace gatehouse {
namespace {

constexpr std::string_view kMark = "REDACTED";
constexpr std::string_view kHashMark = "hmac-";
constexpr std::string_view kMaskMark = "****";
constexpr std::size_t kHashDigits = 16;
constexpr std::size_t kShown = 4;
constexpr std::size_t kShortestShown = 12;

constexpr std::string_view kForeignMarks[] = {"[REDACTED]", "[FILTERED]", "[Filtered]", "<redacted>",
                                              "<REDACTED>", "(redacted)", "[redacted]", "[filtered]",
                                              "<filtered>", "<secret>",   "[HIDDEN]"};

constexpr bool is_lower_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
constexpr bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

SecretHider::SecretHider(RedactAction action, std::string hash_key) : action_(action), key_(std::move(hash_key)) {
  if (!key_.empty()) return;
  key_.resize(32);
  RAND_bytes(reinterpret_cast<unsigned char*>(key_.data()), static_cast<int>(key_.size()));
}

bool SecretHider::hidden_already(std::string_view value) noexcept {
  if (value.empty()) return false;
  switch (value.front()) {
    case 'R':
      return value == kMark;
    case 'h':
      return value.size() == kHashMark.size() + kHashDigits && value.starts_with(kHashMark) &&
             std::all_of(value.begin() + kHashMark.size(), value.end(), is_lower_hex);
    case '*': {
      const std::size_t stars = std::min(value.find_first_not_of('*'), value.size());
      const std::string_view rest = value.substr(stars);
      return stars >= 3 && (rest.empty() || (stars == kMaskMark.size() && rest.size() == kShown &&
                                             std::all_of(rest.begin(), rest.end(), is_alnum)));
    }
    case '[':
    case '<':
    case '(':
      return std::find(std::begin(kForeignMarks), std::end(kForeignMarks), value) != std::end(kForeignMarks);
    default:
      return false;
  }
}

void SecretHider::append(std::string_view secret, std::string& out) const {
  if (hidden_already(secret)) {
    out += secret;
    return;
  }
  switch (action_) {
    case RedactAction::kReplace:
    case RedactAction::kDrop:
      out += kMark;
      return;
    case RedactAction::kMask: {
      out += kMaskMark;
      // Part of an escape sequence or of a code point would break what stands around it.
      const std::string_view end = secret.substr(secret.size() - std::min(secret.size(), kShown));
      if (secret.size() >= kShortestShown && std::all_of(end.begin(), end.end(), is_alnum)) out += end;
      return;
    }
    case RedactAction::kHash:
      break;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(secret.data()),
       secret.size(), digest.data(), &size);
  out += kHashMark;
  for (std::size_t i = 0; i < kHashDigits / 2; ++i) {
    out += "0123456789abcdef"[digest[i] >> 4];
    out += "0123456789abcdef"[digest[i] & 0xF];
  }
}

}  // namespace gatehouse
