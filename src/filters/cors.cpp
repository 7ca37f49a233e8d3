#include "filters/cors.hpp"

#include "http/syntax.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

constexpr std::string_view kPrefix = "access-control-";
constexpr std::string_view kAllowOrigin = "access-control-allow-origin";
// What a browser may ask leave for in one preflight; more is no browser's.
constexpr std::size_t kMostRequestedHeaders = 64;

bool is_cors_field(const Field& field) noexcept {
  return field.id == FieldId::other && field.name.size() > kPrefix.size() &&
         equals_ignoring_case(field.name.substr(0, kPrefix.size()), kPrefix);
}

std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

bool has(const std::vector<std::string>& items, std::string_view wanted) {
  return std::find(items.begin(), items.end(), wanted) != items.end();
}

// Adds Origin to what caches must tell apart. What the app says in Vary stays, as one field.
void vary_by_origin(Headers& headers) {
  std::string_view said;
  for (const Field& field : headers) {
    if (field.id != FieldId::vary) continue;
    const bool is_missing = http::for_each_element(field.value, [](std::string_view element) {
      return element != "*" && !equals_ignoring_case(element, "origin");
    });
    if (!is_missing) return;
    const std::string_view value = http::trim(field.value);
    if (!value.empty()) said = said.empty() ? value : headers.arena().join({said, ", ", value});
  }
  headers.set_view(FieldId::vary, said.empty() ? std::string_view("Origin") : headers.arena().join({said, ", Origin"}));
}

bool is_safe(Method method) noexcept {
  return method == Method::kGet || method == Method::kHead || method == Method::kOptions;
}

// Methods that browsers send across origins without asking (Fetch: CORS-safelisted method).
bool needs_no_leave(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD" || method == "POST";
}

}  // namespace

struct Cors::Preflight {
  std::string_view origin;
  std::string_view method;
  std::string_view headers;
  bool private_network = false;
};

Cors::Cors(Options options, CorsCounters& counters)
    : options_(std::move(options)),
      counters_(counters),
      methods_(listed(options_.allow_methods)),
      headers_(listed(options_.allow_headers)),
      exposed_(listed(options_.expose_headers)),
      max_age_(std::to_string(options_.max_age.count())),
      preflight_vary_(options_.allow_origins.any() ? "" : "Origin, "),
      any_method_(has(options_.allow_methods, "*")),
      any_header_(has(options_.allow_headers, "*")) {
  preflight_vary_ += "Access-Control-Request-Method, Access-Control-Request-Headers";
  if (options_.private_network) preflight_vary_ += ", Access-Control-Request-Private-Network";
}

std::optional<Cors::Preflight> Cors::preflight_of(const Request& request) const {
  if (request.method != Method::kOptions) return std::nullopt;
  const auto origin = request_origin(request);
  if (!origin || request.headers.count(FieldId::access_control_request_method) != 1) return std::nullopt;
  if (request.headers.count(FieldId::access_control_request_headers) > 1) return std::nullopt;
  Preflight preflight;
  preflight.origin = *origin;
  preflight.method = request.headers.value(FieldId::access_control_request_method);
  preflight.headers = request.headers.value(FieldId::access_control_request_headers);
  preflight.private_network = request.headers.value("access-control-request-private-network") == "true";
  return preflight;
}

bool Cors::names_header(std::string_view name) const {
  return std::any_of(options_.allow_headers.begin(), options_.allow_headers.end(),
                     [&](const std::string& allowed) { return equals_ignoring_case(allowed, name); });
}

// Empty: everything that is asked for may be. Method names are told apart by case, header names are not (Fetch 4.8).
std::string_view Cors::verdict(const Preflight& preflight) const {
  if (!allows(preflight.origin)) return "cors_origin_denied";
  if (preflight.private_network && !options_.private_network) return "cors_private_network_denied";
  const bool method_allowed = any_method_
                                  ? http::is_token(preflight.method)
                                  : needs_no_leave(preflight.method) || has(options_.allow_methods, preflight.method);
  if (!method_allowed) return "cors_method_denied";
  if (preflight.headers.empty()) return {};
  std::size_t count = 0;
  const bool headers_allowed = http::for_each_element(preflight.headers, [&](std::string_view name) {
    return ++count <= kMostRequestedHeaders && (any_header_ ? http::is_token(name) : names_header(name));
  });
  return headers_allowed ? std::string_view{} : "cors_header_denied";
}

// An origin that is not allowed learns nothing. One that is gets the lists in any case, so that the browser's console
// can say which method or header is missing from them.
Response Cors::answer(Exchange& exchange, const Preflight& preflight) const {
  const std::string_view denied = verdict(preflight);
  (denied.empty() ? counters_.preflights_answered : counters_.preflights_refused).add();
  if (denied == "cors_origin_denied") {
    Response response =
        exchange.refuse(403, "Pages of this origin may not call this service", denied, ResponseFlag::kLocal);
    response.headers.add_view("vary", preflight_vary_);
    return response;
  }
  exchange.outcome() = {true, denied.empty() ? "cors_preflight" : denied, ResponseFlag::kLocal};
  Response response(exchange.arena());
  response.status = 204;
  Headers& headers = response.headers;
  const bool asks_for_all = denied.empty();
  headers.add_view(kAllowOrigin, options_.allow_origins.any() ? "*" : preflight.origin);
  headers.add_view("access-control-allow-methods", any_method_ && asks_for_all ? preflight.method : methods_);
  if (!preflight.headers.empty())
    headers.add_view("access-control-allow-headers", any_header_ && asks_for_all ? preflight.headers : headers_);
  if (options_.allow_credentials) headers.add_view("access-control-allow-credentials", "true");
  if (preflight.private_network && options_.private_network)
    headers.add_view("access-control-allow-private-network", "true");
  headers.add_view("access-control-max-age", max_age_);
  headers.add_view("vary", preflight_vary_);
  return response;
}

bool Cors::blocks(const Exchange& exchange) const {
  if (!options_.block || is_safe(exchange.request().method)) return false;
  const auto origin = request_origin(exchange.request());
  // Several Origin fields are no browser's doing; none is a client that is no browser.
  if (!origin) return exchange.request().headers.find(FieldId::origin) != nullptr;
  return !allows(*origin) && !is_own_origin(exchange, *origin);
}

std::optional<Response> Cors::on_request(Exchange& exchange) const {
  if (options_.shadow) return std::nullopt;
  if (options_.upstream == Upstream::kReplace)
    if (const auto preflight = preflight_of(exchange.request())) return answer(exchange, *preflight);
  if (!blocks(exchange)) return std::nullopt;
  counters_.requests_blocked.add();
  Response response = exchange.refuse(403, "Pages of this origin may not change anything here", "cors_origin_blocked",
                                      ResponseFlag::kLocal);
  vary_by_origin(response.headers);
  return response;
}

void Cors::write_fields(std::string_view origin, Headers& headers) const {
  if (!options_.allow_origins.any()) vary_by_origin(headers);
  if (origin.empty()) return;
  headers.add_view(kAllowOrigin, origin);
  if (options_.allow_credentials) headers.add_view("access-control-allow-credentials", "true");
  if (!exposed_.empty()) headers.add_view("access-control-expose-headers", exposed_);
}

// What Access-Control-Allow-Origin says to this request, or nothing.
std::string_view Cors::named_origin(Exchange& exchange) const {
  if (options_.allow_origins.any()) return "*";
  const auto origin = request_origin(exchange.request());
  if (origin) return options_.allow_origins.contains(*origin) ? *origin : std::string_view{};
  // In a refusal the head may never have been read. Where only one origin may read it, saying so needs no Origin field.
  return exchange.outcome().sidecar ? options_.allow_origins.only() : std::string_view{};
}

// Counts and notes; touches nothing of the answer.
void Cors::observe(Exchange& exchange, const Response& response, std::string_view named) const {
  const Field* said = exchange.outcome().sidecar ? nullptr : response.headers.find(kAllowOrigin);
  if (said != nullptr) {
    counters_.app_answers_replaced.add();
    if (said->value != named) counters_.app_disagreements.add();
  }
  const auto origin = request_origin(exchange.request());
  if (!origin) return;
  std::string_view denied;
  if (const auto preflight = preflight_of(exchange.request())) {
    denied = verdict(*preflight);
    (denied.empty() ? counters_.preflights_answered : counters_.preflights_refused).add();
  } else if (!named.empty()) {
    counters_.origins_allowed.add();
  } else if (!is_own_origin(exchange, *origin)) {
    denied = "cors_origin_denied";
    counters_.origins_refused.add();
    if (options_.shadow && blocks(exchange)) counters_.requests_blocked.add();
  }
  if (!denied.empty() && exchange.note.empty()) exchange.note = denied;
}

void Cors::on_response(Exchange& exchange, Response& response) const {
  if (!options_.shadow && options_.upstream == Upstream::kKeep) {
    if (response.headers.find(kAllowOrigin) != nullptr) return;
    // The app was asked first and says nothing about it.
    if (const auto preflight = preflight_of(exchange.request())) {
      response = answer(exchange, *preflight);
      return;
    }
  }
  const std::string_view named = named_origin(exchange);
  observe(exchange, response, named);
  if (options_.shadow) return;
  response.headers.remove_if(is_cors_field);
  write_fields(named, response.headers);
}

}  // namespace gatehouse
