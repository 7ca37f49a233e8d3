#include "filters/request_id.hpp"

#include "http/syntax.hpp"

#include <bit>
#include <cstring>
#include <sys/random.h>

namespace gatehouse {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool lower_hex(std::string_view text) noexcept {
  for (const char c : text)
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  return true;
}

bool all_zero(std::string_view text) noexcept { return text.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

RequestId::RequestId() {
  // Ids are no secrets; they only have to differ between processes and workers.
  if (getrandom(state_.data(), sizeof state_, 0) != static_cast<ssize_t>(sizeof state_))
    state_ = {reinterpret_cast<std::uintptr_t>(this), 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb};
}

// xoshiro256++ (Blackman, Vigna).
std::uint64_t RequestId::random() const noexcept {
  const std::uint64_t value = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return value;
}

std::optional<Response> RequestId::on_request(Exchange& exchange) const {
  Headers& headers = exchange.request().headers;
  const Field* given = headers.find(FieldId::x_request_id);
  if (given != nullptr && well_formed_request_id(given->value) && headers.count(FieldId::x_request_id) == 1) {
    exchange.request_id = given->value;
  } else {
    auto* const digits = static_cast<char*>(exchange.arena().allocate(32));
    for (std::size_t half = 0; half < 2; ++half) {
      std::uint64_t bits = random();
      for (std::size_t i = 0; i < 16; ++i, bits >>= 4) digits[half * 16 + i] = kHex[bits & 15];
    }
    exchange.request_id = {digits, 32};
    exchange.request_id_is_own = true;
    headers.set_view(FieldId::x_request_id, exchange.request_id);
  }
  if (const Field* trace = headers.find(FieldId::traceparent)) {
    exchange.trace_id = headers.count(FieldId::traceparent) == 1 ? trace_id_of(trace->value) : std::string_view{};
    if (exchange.trace_id.empty()) {
      headers.remove(FieldId::traceparent);
      headers.remove(FieldId::tracestate);
    }
  }
  return std::nullopt;
}

void RequestId::on_response(Exchange& exchange, Response& response) const {
  response.headers.set_view(FieldId::x_request_id, exchange.request_id);
}

bool well_formed_request_id(std::string_view id) noexcept {
  if (id.empty() || id.size() > 128) return false;
  for (const char c : id) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!alphanumeric && std::strchr("-._~+/=:@", c) == nullptr) return false;
  }
  return true;
}

std::string_view trace_id_of(std::string_view traceparent) noexcept {
  // version "-" trace-id "-" parent-id "-" flags; later versions may append more.
  if (traceparent.size() < 55 || traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') return {};
  const auto version = traceparent.substr(0, 2);
  const auto trace = traceparent.substr(3, 32);
  const auto parent = traceparent.substr(36, 16);
  if (!lower_hex(version) || !lower_hex(trace) || !lower_hex(parent) || !lower_hex(traceparent.substr(53, 2))) return {};
  if (version == "ff" || all_zero(trace) || all_zero(parent)) return {};
  if (version == "00" ? traceparent.size() != 55 : (traceparent.size() > 55 && traceparent[55] != '-')) return {};
  return trace;
}

}  // namespace gatehouse
