// What stands in place of a secret. Immutable; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse {

enum class RedactAction : std::uint8_t {
  kReplace,  // REDACTED
  kHash,     // hmac-<16 hex digits>: equal secrets stay recognisable as equal, with a key that never leaves the process
  kMask,     // ****1234: the last four characters of values that have at least twelve
  kDrop      // nothing: a query parameter, cookie or field goes with its name; inside a text, as kReplace
};

class SecretHider {
 public:
  // An empty key: a random one, so hashes compare within one run only.
  SecretHider(RedactAction action, std::string hash_key);

  // Appends what may be told about `secret`: letters, digits, `-` and `*` only, so it fits into every syntax.
  void append(std::string_view secret, std::string& out) const;
  bool drops() const noexcept { return action_ == RedactAction::kDrop; }

  // Whether a value is what append() leaves behind, or another program's mask (`***`, `[FILTERED]`).
  static bool hidden_already(std::string_view value) noexcept;

 private:
  RedactAction action_;
  std::string key_;
};

}  // namespace gatehouse
