// Passive detection: what requests themselves tell about the app, and what follows. After so many failures in a row the circuit opens and
// requests are refused at once, which lets the app recover and clients know soon; after a while a few are let through to see (half open); when they
// go well it closes. A value without a clock: `now` is an argument. One per worker, touched by its thread alone, like the worker's connections.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace gatehouse::upstream {

struct CircuitSettings {
  int failures = 0;                        // in a row that open it; 0: it never opens
  std::chrono::milliseconds slow{0};       // an answer that takes longer to begin is a failure; 0: none is
  std::chrono::milliseconds open_for{5000};
  int trials = 3;                          // requests at the same time while half open, and good ones that close it
  bool operator==(const CircuitSettings&) const = default;
};

enum class CircuitState : std::uint8_t { kClosed, kOpen, kHalfOpen };

class Circuit {
 public:
  using Clock = std::chrono::steady_clock;
  using OnChange = std::function<void(CircuitState from, CircuitState to)>;

  explicit Circuit(CircuitSettings settings = {}) noexcept : settings_(settings) {}
  void on_change(OnChange told) { told_ = std::move(told); }

  // Whether a request may go to the app now. Each that may must be ended once, by one of the three below.
  bool admit(Clock::time_point now);
  // The same, asked without going.
  bool would_admit(Clock::time_point now) const noexcept {
    if (state_ == CircuitState::kClosed) return true;
    return state_ == CircuitState::kOpen ? now >= open_until_ : under_way_ < settings_.trials;
  }
  // The app began to answer after `latency`.
  void answered(Clock::time_point now, Clock::duration latency);
  // It did not, and that is its fault.
  void failed(Clock::time_point now);
  // Nothing was learned: the client left, or there was no room.
  void ended() noexcept;

  CircuitState state() const noexcept { return state_; }
  // Until a request may be tried, at least a second: what Retry-After says.
  std::chrono::seconds retry_after(Clock::time_point now) const noexcept;

 private:
  void go(CircuitState to);
  void open(Clock::time_point now);

  CircuitSettings settings_;
  OnChange told_;
  CircuitState state_ = CircuitState::kClosed;
  Clock::time_point open_until_;
  int in_a_row_ = 0;   // failures while closed, good answers while half open
  int under_way_ = 0;  // requests that were admitted and have not ended
};

// One request's pass through it: ended when it is destroyed, unless it was judged before.
class CircuitPass {
 public:
  CircuitPass(Circuit& circuit, Circuit::Clock::time_point now) : circuit_(circuit), began_(now), open_(circuit.admit(now)), admitted_(open_) {}
  ~CircuitPass() {
    if (open_) circuit_.ended();
  }
  CircuitPass(const CircuitPass&) = delete;
  CircuitPass& operator=(const CircuitPass&) = delete;

  bool admitted() const noexcept { return admitted_; }
  void answered(Circuit::Clock::time_point now) {
    if (open_) circuit_.answered(now, now - began_);
    open_ = false;
  }
  void failed(Circuit::Clock::time_point now) {
    if (open_) circuit_.failed(now);
    open_ = false;
  }

 private:
  Circuit& circuit_;
  Circuit::Clock::time_point began_;
  bool open_;
  bool admitted_;
};

}  // namespace gatehouse::upstream
