#include "upstream/circuit.hpp"

#include <algorithm>

namespace gatehouse::upstream {

bool Circuit::admit(Clock::time_point now) {
  if (state_ == CircuitState::kOpen && now >= open_until_) go(CircuitState::kHalfOpen);
  if (state_ == CircuitState::kOpen) return false;
  // While half open those count too that were let through before it opened: the app has them still.
  if (state_ == CircuitState::kHalfOpen && under_way_ >= settings_.trials) return false;
  ++under_way_;
  return true;
}

void Circuit::answered(Clock::time_point now, Clock::duration latency) {
  if (settings_.slow.count() != 0 && latency > settings_.slow) return failed(now);
  ended();
  if (state_ == CircuitState::kClosed) in_a_row_ = 0;
  if (state_ == CircuitState::kHalfOpen && ++in_a_row_ >= settings_.trials) go(CircuitState::kClosed);
}

void Circuit::failed(Clock::time_point now) {
  ended();
  if (settings_.failures == 0) return;
  // A request from before it opened says nothing new.
  if (state_ == CircuitState::kHalfOpen || (state_ == CircuitState::kClosed && ++in_a_row_ >= settings_.failures)) open(now);
}

void Circuit::ended() noexcept { --under_way_; }

std::chrono::seconds Circuit::retry_after(Clock::time_point now) const noexcept {
  const auto left = state_ == CircuitState::kOpen ? open_until_ - now : Clock::duration::zero();
  return std::max(std::chrono::ceil<std::chrono::seconds>(left), std::chrono::seconds(1));
}

void Circuit::open(Clock::time_point now) {
  open_until_ = now + settings_.open_for;
  go(CircuitState::kOpen);
}

void Circuit::go(CircuitState to) {
  const CircuitState from = state_;
  state_ = to;
  in_a_row_ = 0;
  if (told_) told_(from, to);
}

}  // namespace gatehouse::upstream
