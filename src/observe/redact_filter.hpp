// The log sanitiser between two descriptors: `gatehouse redact`.
#pragma once

#include "observe/app_log.hpp"

#include <gatehouse/result.hpp>

#include <memory>

namespace gatehouse {

// Copies everything from `in` to `out`, redacted, until `in` ends; no line is lost, an unfinished last one included.
// Memory stays bounded whatever comes. What is readable goes out before more is waited for. Fails when reading or
// writing does.
error_code redact_stream(int in, int out, std::shared_ptr<const Redactor> redactor, AppLogForm form);

// Writes all of it, waiting where the other side is slow.
error_code write_all(int descriptor, std::string_view bytes);

}  // namespace gatehouse
