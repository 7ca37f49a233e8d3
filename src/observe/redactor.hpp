// The one place that decides what must not be told. Stands under every sink: access records, log lines, error texts and
// the application's own output. Immutable after construction and safe from any thread; owned through a shared pointer
// by whoever writes. Every call takes linear time, and repeating it on its own result changes nothing.
//
// Calls return `in` itself when there is nothing to hide, else a view of `scratch`, which they overwrite.
#pragma once

#include "observe/redact_hide.hpp"
#include "observe/redact_names.hpp"
#include "observe/redact_rules.hpp"

#include <gatehouse/result.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

enum class AddressAction : std::uint8_t { kKeep, kTruncate, kHash, kDrop };  // kTruncate: to /24 and /56

struct RedactOptions {
  std::vector<std::string> names{};     // beside the built-in ones
  std::vector<std::string> patterns{};  // RE2; the first group where there is one, else the whole match, is hidden
  RedactAction action = RedactAction::kReplace;
  AddressAction client_address = AddressAction::kKeep;
  bool emails = false;
  std::string hash_key{};  // empty: a random one, so hashes compare within one run only
};

class RedactPatterns;

class Redactor {
 public:
  // Null when a pattern cannot be used; `problem` then says which and why.
  static std::shared_ptr<const Redactor> make(const RedactOptions& options, std::string& problem);
  // The built-in lists.
  static std::shared_ptr<const Redactor> standard();
  ~Redactor();
  Redactor(const Redactor&) = delete;
  Redactor& operator=(const Redactor&) = delete;

  // Free text of any kind: a log line, JSON, an error message, a body. Finds secrets by name and by shape.
  std::string_view text(std::string_view in, std::string& scratch) const;
  // A URL's query without `?`, or a form.
  std::string_view query(std::string_view in, std::string& scratch) const;
  // An absolute or relative URL.
  std::string_view url(std::string_view in, std::string& scratch) const;
  // A path; segments that `route` (`/reset/{token}`) gives a sensitive name are hidden.
  std::string_view path(std::string_view in, std::string_view route, std::string& scratch) const;
  // The value of a header field. Authorization keeps its scheme, cookies keep their names.
  std::string_view header(std::string_view name, std::string_view value, std::string& scratch) const;
  // The value of a field of that name, as in a log line or a JSON object.
  std::string_view value(std::string_view name, std::string_view in, std::string& scratch) const;
  // The address of a client, by its own rule.
  std::string_view address(std::string_view in, std::string& scratch) const;

  // Whether a field of that name would be hidden whatever it holds.
  bool sensitive(std::string_view name) const noexcept;

 private:
  friend class RedactStream;
  Redactor(const RedactOptions& options, std::unique_ptr<const RedactPatterns> patterns);

  std::string_view by_pattern(std::string_view in, std::string& scratch) const;
  bool hides_parameter(std::string_view name, std::string_view value) const;
  bool holds_parameters(std::string_view value) const;
  bool has_short_words(std::string_view in) const noexcept;
  bool hides_segment(std::string_view part) const noexcept;

  SensitiveNames names_;
  SecretHider hider_;
  RedactRules rules_;
  std::unique_ptr<const RedactPatterns> patterns_;
  AddressAction address_action_;
  SecretHider address_hider_;
};

}  // namespace gatehouse
