#include "filters/csp_reports.hpp"

#include "http/syntax.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

// Browsers cut what they report; a page with many violations sends some kilobytes.
constexpr std::size_t kLargestBody = 64 * 1024;

std::optional<std::string> path_problem(std::string_view text) {
  if (auto problem = format::kUrlPath.problem(text)) return problem;
  // It stands between the quotes of one field and the semicolons of another.
  if (text.find_first_of("\"';,") != std::string_view::npos) return "must not hold quotes, ; or ,";
  return std::nullopt;
}

const TextFormat kPathFormat{"path", "^/", path_problem};

bool is_report(std::string_view content_type) noexcept {
  const std::string_view media = http::trim(content_type.substr(0, content_type.find(';')));
  return equals_ignoring_case(media, "application/csp-report") ||
         equals_ignoring_case(media, "application/reports+json") || equals_ignoring_case(media, "application/json");
}

Response refuse_body(Exchange& exchange, error_code error) {
  if (error == errc::too_large)
    return exchange.refuse(413, "The report is too large", "csp_report_too_large", ResponseFlag::kLocal);
  if (error == errc::timeout)
    return exchange.refuse(408, "The report did not come in time", "request_body_timeout",
                           ResponseFlag::kDownstreamTimeout);
  return exchange.refuse(400, "The report ended early", "request_body_incomplete", ResponseFlag::kDownstreamReset);
}

Response no_content(Exchange& exchange) {
  exchange.outcome() = {true, "csp_report", ResponseFlag::kLocal};
  Response response(exchange.arena());
  response.status = 204;
  return response;
}

// The body as a whole.
awaitable<result<std::string>> read_all(const Body& body) {
  std::string text(body.ready);
  if (text.size() > kLargestBody) co_return errc::too_large;
  while (body.rest != nullptr) {
    const result<std::string_view> piece = co_await body.rest->read();
    if (!piece) co_return piece.error();
    if (piece->empty()) break;
    if (text.size() + piece->size() > kLargestBody) co_return errc::too_large;
    text += *piece;
  }
  co_return text;
}

}  // namespace

CspReports::CspReports(Options options, Sink sink, CspCounters& counters)
    : options_(std::move(options)), sink_(std::move(sink)), counters_(counters), allowance_(options_.per_second) {}

KeySpec CspReports::key() {
  const Options defaults;
  return key::map(
             "reports",
             {
                 key::text("path", defaults.path, "Where browsers are told to send them; the app never sees it.")
                     .of_format(kPathFormat),
                 key::integer("per_second", defaults.per_second, "How many are logged a second and worker at most.")
                     .within(1, 1000),
             },
             "Lets browsers report what broke a policy; each report is logged and counted.")
      .or_just("path")
      .optional();
}

CspReports::Options CspReports::read(const OptionsReader& reports) {
  return {reports.text("path"), static_cast<unsigned>(reports.integer("per_second"))};
}

std::unique_ptr<Filter> CspReports::make(OptionsReader& security_headers, Sink sink, CspCounters& counters) {
  if (!security_headers.has("reports")) return nullptr;
  return std::make_unique<CspReports>(read(security_headers.map("reports")), std::move(sink), counters);
}

void CspReports::refill(std::chrono::steady_clock::time_point now) const noexcept {
  const double passed = std::chrono::duration<double>(now - refilled_).count();
  if (passed <= 0) return;
  allowance_ = std::min<double>(options_.per_second, allowance_ + passed * options_.per_second);
  refilled_ = now;
}

bool CspReports::spend() const noexcept {
  if (allowance_ < 1) return false;
  allowance_ -= 1;
  return true;
}

std::optional<Response> CspReports::refuse_early(Exchange& exchange) const {
  const Request& request = exchange.request();
  if (request.method != Method::kPost) {
    Response response = exchange.refuse(405, "Reports are posted here", "method_not_allowed", ResponseFlag::kLocal);
    response.headers.add_view("allow", "POST");
    return response;
  }
  if (!is_report(request.headers.value(FieldId::content_type)))
    return exchange.refuse(415, "This is no report of a browser", "csp_report_unknown_type", ResponseFlag::kLocal);
  if (request.body.length && *request.body.length > kLargestBody) return refuse_body(exchange, errc::too_large);
  refill(exchange.started_at);
  if (allowance_ >= 1) return std::nullopt;
  // Before a byte of the body is read: whoever floods this pays for it.
  counters_.dropped.add();
  Response response = exchange.refuse(429, "Too many reports", "csp_reports_limited", ResponseFlag::kRateLimited);
  response.headers.add_view("retry-after", "1");
  return response;
}

void CspReports::take(std::string_view body) const {
  const auto reports = parse_csp_reports(body);
  if (!reports) return counters_.malformed.add();
  for (const CspReport& report : *reports) {
    if (!spend()) {
      counters_.dropped.add();
      continue;
    }
    counters_.reported.add();
    sink_(report);
  }
}

awaitable<Response> CspReports::handle(Exchange& exchange, Next next) const {
  if (exchange.request().path != options_.path) {
    Response response = co_await next(exchange);
    co_return response;
  }
  const std::optional<Response> refusal = refuse_early(exchange);
  if (refusal) co_return *refusal;
  const result<std::string> body = co_await read_all(exchange.request().body);
  if (!body) co_return refuse_body(exchange, body.error());
  take(*body);
  co_return no_content(exchange);
}

}  // namespace gatehouse
