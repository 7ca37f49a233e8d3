// The only place that turns an error into a status: every answer that Gatehouse gives for a failure is listed here.
#pragma once

#include "http/head_error.hpp"
#include "proxy/bodies.hpp"

#include <gatehouse/filter.hpp>

#include <chrono>
#include <optional>

namespace gatehouse::proxy {

// What can go wrong between here and the app.
enum class UpstreamFailure : std::uint8_t {
  kUnresolved,
  kUnreachable,
  kConnectTimeout,
  kNoDescriptors,
  kQueueFull,
  kFirstByteTimeout,
  kClosedBeforeResponse,
  kResetBeforeResponse,
  kMalformedResponse,
  kResponseHeadTooLarge,
  kStopping,
};

// The circuit is open; the answer says when to come again.
Response refuse_open_circuit(Exchange& exchange, std::chrono::seconds retry_after);
Response refuse_upstream(Exchange& exchange, UpstreamFailure failure);
// Whether a failure says something about the app, and not about how much Gatehouse itself has to do.
bool app_is_to_blame(UpstreamFailure failure) noexcept;
Response refuse_head(Exchange& exchange, http::HeadError error);
// A head that did not come in time (408).
Response refuse_slow_head(Exchange& exchange);
Response refuse_body(Exchange& exchange, const BodyFailure& failure);
Response refuse_overload(Exchange& exchange);

}  // namespace gatehouse::proxy
