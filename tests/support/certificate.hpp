// A certificate that vouches for itself, made on the spot, as files.
#pragma once

#include <string>

namespace gatehouse::test {

// Writes `<folder>/<name>.crt` and `<folder>/<name>.key`, valid for the host `name` for a day from now.
void write_self_signed(const std::string& folder, const std::string& name);

}  // namespace gatehouse::test
