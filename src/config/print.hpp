// The effective configuration as YAML that loads to the same configuration.
#pragma once

#include "config/config.hpp"

#include <string>

namespace gatehouse {

// Defaults filled in, variables put in, relative paths as written. No secret: one that came from a variable or a file
// is printed as that reference, any other, and the password in a URL, as `<redacted>`, which loads only where
// Environment::accept_redacted says so. Routes show what they change.
std::string print_config(const Config& config);

// `text` as YAML: plain where every reader takes it for a text, else in double quotes.
std::string yaml_scalar(std::string_view text);
// A secret as it may be shown: references to variables stay, and so does a URL but for its password and its parameters.
std::string redacted_secret(std::string_view written);

}  // namespace gatehouse
