// What one pass over a text needs to know: views of what the Redactor owns.
#pragma once

#include "observe/redact_hide.hpp"
#include "observe/redact_names.hpp"

namespace gatehouse {

struct RedactRules {
  const SensitiveNames& names;
  const SecretHider& hider;
  bool emails = false;
};

}  // namespace gatehouse
