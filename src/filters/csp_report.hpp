// What a browser reports about a page that broke its Content-Security-Policy, read from either of the two forms that
// browsers send: application/csp-report (report-uri) and application/reports+json (Reporting API). Pure functions;
// every byte comes from anybody.
#pragma once

#include <gatehouse/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

// Texts are bounded. URLs are without query and fragment, which hold what users typed.
struct CspReport {
  std::string document;
  std::string directive;  // script-src-elem
  std::string blocked;    // a URL, or a word such as inline
  std::string disposition;
  std::string source_file;
  std::int64_t line = 0;
};

// At most this many of one body are kept.
inline constexpr std::size_t kMostCspReports = 20;

// The violations in a body; reports about other things are left out. errc::malformed where it is neither form.
result<std::vector<CspReport>> parse_csp_reports(std::string_view body);

}  // namespace gatehouse
