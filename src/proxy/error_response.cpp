#include "proxy/error_response.hpp"

namespace gatehouse::proxy {

Response refuse_upstream(Exchange& exchange, UpstreamFailure failure) {
  using enum ResponseFlag;
  switch (failure) {
    case UpstreamFailure::kUnresolved:
      return exchange.refuse(502, "The app's name does not resolve", "upstream_unresolved", kUpstreamUnreachable);
    case UpstreamFailure::kUnreachable:
      return exchange.refuse(502, "The app does not accept connections", "upstream_unreachable", kUpstreamUnreachable);
    case UpstreamFailure::kConnectTimeout:
      return exchange.refuse(504, "The app did not accept the connection in time", "upstream_connect_timeout", kUpstreamUnreachable);
    case UpstreamFailure::kNoDescriptors:
      return exchange.refuse(503, "No connection to the app is free", "upstream_no_descriptors", kUpstreamOverflow);
    case UpstreamFailure::kQueueFull:
      return exchange.refuse(503, "Too many requests wait for the app", "upstream_queue_full", kUpstreamOverflow);
    case UpstreamFailure::kFirstByteTimeout:
      return exchange.refuse(504, "The app did not answer in time", "upstream_first_byte_timeout", kUpstreamResponseTimeout);
    case UpstreamFailure::kClosedBeforeResponse:
      return exchange.refuse(502, "The app closed the connection without an answer", "upstream_closed_before_response", kUpstreamReset);
    case UpstreamFailure::kResetBeforeResponse:
      return exchange.refuse(502, "The connection to the app broke before its answer", "upstream_reset_before_response", kUpstreamReset);
    case UpstreamFailure::kMalformedResponse:
      return exchange.refuse(502, "The app's answer is not valid HTTP", "upstream_malformed_response", kUpstreamProtocolError);
    case UpstreamFailure::kResponseHeadTooLarge:
      return exchange.refuse(502, "The head of the app's answer is too large", "upstream_head_too_large", kUpstreamProtocolError);
    case UpstreamFailure::kStopping:
      return exchange.refuse(503, "The service is stopping", "stopping", kOverload);
  }
  return exchange.refuse(500, "Internal error", "internal_error", kLocal);
}

Response refuse_open_circuit(Exchange& exchange, std::chrono::seconds retry_after) {
  Response response = exchange.refuse(503, "The app is failing; try again later", "circuit_open", ResponseFlag::kNoHealthyUpstream);
  response.headers.add("retry-after", std::to_string(retry_after.count()));
  return response;
}

bool app_is_to_blame(UpstreamFailure failure) noexcept {
  switch (failure) {
    case UpstreamFailure::kNoDescriptors:
    case UpstreamFailure::kQueueFull:
    case UpstreamFailure::kStopping: return false;
    case UpstreamFailure::kUnresolved:
    case UpstreamFailure::kUnreachable:
    case UpstreamFailure::kConnectTimeout:
    case UpstreamFailure::kFirstByteTimeout:
    case UpstreamFailure::kClosedBeforeResponse:
    case UpstreamFailure::kResetBeforeResponse:
    case UpstreamFailure::kMalformedResponse:
    case UpstreamFailure::kResponseHeadTooLarge: return true;
  }
  return true;
}

Response refuse_head(Exchange& exchange, http::HeadError error) {
  const int status = http::status(error);
  Response response = exchange.refuse(status, http::title(error), http::name(error), ResponseFlag::kDownstreamProtocolError);
  // RFC 9110 15.5.6: the answer must say what is allowed.
  if (status == 405) response.headers.add_view("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  return response;
}

Response refuse_slow_head(Exchange& exchange) {
  return exchange.refuse(408, "The request head did not come in time", "request_head_timeout", ResponseFlag::kDownstreamTimeout);
}

Response refuse_body(Exchange& exchange, const BodyFailure& failure) {
  if (failure.error) return refuse_head(exchange, *failure.error);
  if (failure.cause == errc::timeout)
    return exchange.refuse(408, "The request body did not come in time", "request_body_timeout", ResponseFlag::kDownstreamTimeout);
  if (failure.cause == errc::cancelled)
    return exchange.refuse(503, "The service is stopping", "stopping", ResponseFlag::kOverload);
  return exchange.refuse(400, "The request body ended early", "request_body_incomplete", ResponseFlag::kDownstreamReset);
}

Response refuse_overload(Exchange& exchange) {
  Response response = exchange.refuse(503, "Too many connections", "connection_limit", ResponseFlag::kOverload);
  response.headers.add_view("retry-after", "1");
  return response;
}

}  // namespace gatehouse::proxy
