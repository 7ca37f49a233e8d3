// Gives every request an id, keeps a well-formed one from the client, and passes it to the app and back; reads the trace id of
// a valid traceparent (W3C Trace Context), which itself travels on untouched. Trusts nobody: a malformed id is replaced,
// a malformed traceparent is dropped.
#pragma once

#include <gatehouse/filter.hpp>

#include <array>
#include <cstdint>

namespace gatehouse {

class RequestId final : public HeaderFilter {
 public:
  RequestId();
  std::optional<Response> on_request(Exchange& exchange) const override;
  void on_response(Exchange& exchange, Response& response) const override;

 private:
  std::uint64_t random() const noexcept;
  mutable std::array<std::uint64_t, 4> state_;  // a filter belongs to one worker
};

// 1 to 128 letters, digits and -._~+/=:@ — nothing that means anything to a log, a header or a shell.
bool well_formed_request_id(std::string_view id) noexcept;
// The 32 hexadecimal digits of the trace id, or an empty text when the field is not valid.
std::string_view trace_id_of(std::string_view traceparent) noexcept;

}  // namespace gatehouse
