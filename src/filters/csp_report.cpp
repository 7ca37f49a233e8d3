#include "filters/csp_report.hpp"

#include <boost/json.hpp>

namespace gatehouse {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestUrl = 512;
constexpr std::size_t kLongestWord = 64;
constexpr std::size_t kDeepest = 8;

// The first of the two names that holds a text, cut.
std::string text_of(const json::object& object, std::string_view name, std::string_view other, std::size_t longest) {
  for (const std::string_view key : {name, other}) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || !value->is_string()) continue;
    const std::string_view text = value->get_string();
    return std::string(text.substr(0, longest));
  }
  return {};
}

std::string url_of(const json::object& object, std::string_view name, std::string_view other) {
  const std::string url = text_of(object, name, other, kLongestUrl);
  return url.substr(0, url.find_first_of("?#"));
}

// The keys differ only in their spelling: report-uri's, then the Reporting API's.
CspReport report_of(const json::object& body) {
  CspReport report;
  report.document = url_of(body, "document-uri", "documentURL");
  report.directive = text_of(body, "effective-directive", "effectiveDirective", kLongestWord);
  // CSP 2 names the directive with its whole value.
  if (report.directive.empty())
    report.directive = text_of(body, "violated-directive", "violatedDirective", kLongestWord);
  report.directive.resize(std::min(report.directive.size(), report.directive.find(' ')));
  report.blocked = url_of(body, "blocked-uri", "blockedURL");
  report.disposition = text_of(body, "disposition", "disposition", kLongestWord);
  report.source_file = url_of(body, "source-file", "sourceFile");
  for (const std::string_view key : {"line-number", "lineNumber"})
    if (const json::value* line = body.if_contains(key); line != nullptr && line->is_int64())
      report.line = line->get_int64();
  return report;
}

}  // namespace

result<std::vector<CspReport>> parse_csp_reports(std::string_view body) {
  json::parse_options options;
  options.max_depth = kDeepest;
  boost::system::error_code error;
  json::monotonic_resource memory;
  const json::value root = json::parse(body, error, &memory, options);
  if (error) return errc::malformed;
  std::vector<CspReport> reports;
  if (root.is_object()) {
    const json::value* inside = root.get_object().if_contains("csp-report");
    if (inside == nullptr || !inside->is_object()) return errc::malformed;
    reports.push_back(report_of(inside->get_object()));
    return reports;
  }
  if (!root.is_array()) return errc::malformed;
  for (const json::value& item : root.get_array()) {
    if (!item.is_object() || reports.size() == kMostCspReports) continue;
    const json::value* type = item.get_object().if_contains("type");
    const json::value* inside = item.get_object().if_contains("body");
    if (type == nullptr || !type->is_string() || type->get_string() != "csp-violation") continue;
    if (inside != nullptr && inside->is_object()) reports.push_back(report_of(inside->get_object()));
  }
  return reports;
}

}  // namespace gatehouse
