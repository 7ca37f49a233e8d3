#include "net/deadline.hpp"

#include <algorithm>

namespace gatehouse::net {

Deadline::~Deadline() {
  if (next_ != nullptr && next_ != this) TimerWheel::unlink(*this);
}

void Deadline::set(TimerWheel& wheel, Clock::time_point at) {
  at_ = at;
  if (next_ != nullptr) {
    if (looked_at_ <= at) return;
    TimerWheel::unlink(*this);
  }
  wheel.link(*this);
}

TimerWheel::TimerWheel(boost::asio::io_context& io) : timer_(io), origin_(Clock::now()) {
  for (auto& slot : slots_) slot.previous_ = slot.next_ = &slot;
}

// Deadlines may die after the wheel; they must not find it gone.
TimerWheel::~TimerWheel() {
  for (auto& slot : slots_) {
    while (slot.next_ != &slot) unlink(*slot.next_);
    slot.previous_ = slot.next_ = nullptr;
  }
}

void TimerWheel::link(Deadline& deadline) {
  const auto tick = std::max((deadline.at_ - origin_) / kTick + 1, next_tick_);
  const auto within = std::min<std::int64_t>(tick, next_tick_ + static_cast<std::int64_t>(kSlots) - 1);
  Anchor& slot = slots_[static_cast<std::size_t>(within) % kSlots];
  deadline.looked_at_ = origin_ + within * kTick;
  deadline.previous_ = slot.previous_;
  deadline.next_ = &slot;
  slot.previous_->next_ = &deadline;
  slot.previous_ = &deadline;
  if (!ticking_) arm_timer();
}

void TimerWheel::unlink(Deadline& deadline) noexcept {
  deadline.previous_->next_ = deadline.next_;
  deadline.next_->previous_ = deadline.previous_;
  deadline.previous_ = deadline.next_ = nullptr;
}

void TimerWheel::arm_timer() {
  ticking_ = true;
  timer_.expires_after(kTick);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    ticking_ = false;
    advance(Clock::now());
    // A destroyed deadline leaves its slot without telling the wheel: the next tick finds the wheel empty.
    const bool any = std::any_of(slots_.begin(), slots_.end(), [](const Anchor& slot) { return slot.next_ != &slot; });
    if (any && !ticking_) arm_timer();
  });
}

void TimerWheel::advance(Clock::time_point now) {
  const auto last = (now - origin_) / kTick;
  // After a long sleep every slot is looked at once, not once for each missed tick.
  next_tick_ = std::max(next_tick_, last - static_cast<std::int64_t>(kSlots) + 1);
  while (next_tick_ <= last) {
    Anchor& slot = slots_[static_cast<std::size_t>(next_tick_) % kSlots];
    ++next_tick_;
    // Taken out as a whole: on_expired() may link into this slot again, or destroy a neighbour.
    Anchor due;
    if (slot.next_ == &slot) continue;
    due.next_ = slot.next_;
    due.previous_ = slot.previous_;
    due.next_->previous_ = due.previous_->next_ = &due;
    slot.previous_ = slot.next_ = &slot;
    while (due.next_ != &due) {
      Deadline& deadline = *due.next_;
      unlink(deadline);
      if (deadline.at_ <= now) {
        deadline.clear();
        deadline.on_expired();
      } else if (deadline.armed()) {
        link(deadline);
      }
    }
    due.previous_ = due.next_ = nullptr;
  }
}

}  // namespace gatehouse::net
