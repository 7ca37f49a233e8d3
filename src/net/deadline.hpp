// Deadlines that cost a store to move. A worker's TimerWheel ticks every kTick while anything is armed; a Deadline hangs in
// the slot of the earliest moment it may expire and is looked at again only there. Moving it later, which every request
// does several times, touches nothing but its own expiry. Expiry is late by at most two ticks, never early.
// Owner: the connection it belongs to. Thread: the worker's.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>

namespace gatehouse::net {

using Clock = std::chrono::steady_clock;

class TimerWheel;

class Deadline {
 public:
  Deadline() = default;
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  virtual ~Deadline();

  // Expires at `at`; replaces what was set before.
  void set(TimerWheel& wheel, Clock::time_point at);
  void clear() noexcept { at_ = Clock::time_point::max(); }
  bool armed() const noexcept { return at_ != Clock::time_point::max(); }

 protected:
  // Called from the wheel, once, when the moment has passed; may set the deadline again or destroy it.
  virtual void on_expired() = 0;

 private:
  friend class TimerWheel;
  Clock::time_point at_ = Clock::time_point::max();
  Clock::time_point looked_at_{};  // when the wheel will look at this deadline, while linked
  Deadline* previous_ = nullptr;
  Deadline* next_ = nullptr;
};

class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{20};

  explicit TimerWheel(boost::asio::io_context& io);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Looks at every slot up to `now`. Called by the wheel's own timer; tests call it with a time of their own.
  void advance(Clock::time_point now);

 private:
  friend class Deadline;
  static constexpr std::size_t kSlots = 512;
  struct Anchor final : Deadline {
    void on_expired() override {}
  };

  void link(Deadline& deadline);
  void arm_timer();
  static void unlink(Deadline& deadline) noexcept;

  boost::asio::steady_timer timer_;
  Clock::time_point origin_;
  std::int64_t next_tick_ = 0;  // the first tick that has not been looked at
  bool ticking_ = false;
  std::array<Anchor, kSlots> slots_;  // circular lists
};

}  // namespace gatehouse::net
