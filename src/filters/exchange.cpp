#include <gatehouse/filter.hpp>

namespace gatehouse {

std::string_view flag_code(ResponseFlag flag) noexcept {
  switch (flag) {
    case ResponseFlag::kNone: return "-";
    case ResponseFlag::kUpstreamUnreachable: return "UF";
    case ResponseFlag::kUpstreamResponseTimeout: return "UT";
    case ResponseFlag::kUpstreamReset: return "UC";
    case ResponseFlag::kUpstreamProtocolError: return "UPE";
    case ResponseFlag::kUpstreamOverflow: return "UO";
    case ResponseFlag::kNoHealthyUpstream: return "UH";
    case ResponseFlag::kNoRoute: return "NR";
    case ResponseFlag::kDownstreamReset: return "DC";
    case ResponseFlag::kDownstreamProtocolError: return "DPE";
    case ResponseFlag::kDownstreamTimeout: return "SI";
    case ResponseFlag::kRateLimited: return "RL";
    case ResponseFlag::kUnauthorized: return "UAEX";
    case ResponseFlag::kOverload: return "OM";
    case ResponseFlag::kLocal: return "LR";
  }
  return "-";
}

Response Exchange::answer(int status, std::string_view content_type, std::string_view body, std::string_view reason) {
  outcome_ = {true, reason, ResponseFlag::kLocal};
  Response response(*arena_);
  response.status = status;
  response.headers.add_view("content-type", arena_->copy(content_type));
  response.body = {arena_->copy(body), nullptr, body.size()};
  return response;
}

Response Exchange::refuse(int status, std::string_view title, std::string_view reason, ResponseFlag flag,
                          const ProblemDetail& detail) {
  const char digits[] = {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
                         static_cast<char>('0' + status % 10)};
  const auto body = arena_->join({R"({"type":")", detail.type, R"(","title":")", title, R"(","status":)", {digits, 3},
                                  R"(,"reason":")", reason, R"(","request_id":")", request_id, "\"", detail.members,
                                  "}\n"});
  outcome_ = {true, reason, flag};
  Response response(*arena_);
  response.status = status;
  response.headers.add_view("content-type", "application/problem+json");
  response.headers.add_view("cache-control", "no-store");
  response.body = {body, nullptr, body.size()};
  return response;
}

}  // namespace gatehouse
