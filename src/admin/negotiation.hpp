// Which form of a page a client asked for (RFC 9110 12.5).
#pragma once

#include "admin/exposition.hpp"

#include <gatehouse/message.hpp>

namespace gatehouse::admin {

// OpenMetrics where Accept names it at least as gladly as plain text.
MetricsFormat wanted_format(const Headers& headers);
std::string_view content_type(MetricsFormat format) noexcept;
// Whether Accept-Encoding names gzip and does not refuse it.
bool wants_gzip(const Headers& headers);
// `text` in the gzip format (RFC 1952); empty when there is no memory for it.
std::string gzip(std::string_view text);

}  // namespace gatehouse::admin
